import type { ApplianceSettings, Settings } from "./schema.ts";

/** Where the Kubernetes API of the pod's own cluster answers. */
export interface KubernetesApi {
  readonly host: string;
  readonly port: number;
}

export interface ApplianceConfig extends Omit<ApplianceSettings, "data" | "limits"> {
  readonly data: { readonly addresses: readonly string[]; readonly port: number };
  readonly limits: { readonly [Limit in keyof ApplianceSettings["limits"]]-?: number };
}

/** The configuration, checked and complete; frozen. Times are in milliseconds, shares from 0 to 1. */
export interface Config
  extends Readonly<Omit<Settings, "appliances" | "kubernetes" | "node" | "defaultAppliance">> {
  readonly appliances: ReadonlyMap<string, ApplianceConfig>;
  /** Names one of `appliances`; `undefined` only without any. */
  readonly defaultAppliance: string | undefined;
  /** `undefined` outside of a cluster, and when switched off. */
  readonly kubernetes: KubernetesApi | undefined;
  readonly node: Readonly<Settings["node"]> & { readonly stateDirectory: string };
}
