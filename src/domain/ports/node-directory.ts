import type { Context } from "#lib/context.ts";

/** Which nodes exist: CSINode objects in Kubernetes, `nodes:` of the configuration elsewhere. */
export interface NodeDirectory {
  isKnown(nodeId: string, ctx: Context): Promise<boolean>;
}
