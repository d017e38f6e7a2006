import type { Context } from "#lib/context.ts";
import {
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
} from "../gen/csi.ts";
import type { IdentityHandlers } from "../service-handlers.ts";

export interface IdentityDeps {
  /** Domain-name notation, at most 63 characters (CSI spec, GetPluginInfoResponse). */
  readonly driverName: string;
  readonly version: string;
  /** Whether calls can be served now; never throws. */
  readonly ready: (ctx: Context) => Promise<boolean>;
}

/** The Identity service: the same answers from the controller and from every node. */
export function identityHandlers({ driverName, version, ready }: IdentityDeps): IdentityHandlers {
  return {
    getPluginInfo: async () => ({ name: driverName, vendorVersion: version, manifest: {} }),
    getPluginCapabilities: async () => ({ capabilities }),
    probe: async (_request, ctx) => ({ ready: await ready(ctx) }),
  };
}

/** Volumes grow while they are mounted; every node reaches every volume, hence no topology. */
const capabilities = [
  {
    service: { type: PluginCapability_Service_Type.CONTROLLER_SERVICE },
    volumeExpansion: undefined,
  },
  {
    service: undefined,
    volumeExpansion: { type: PluginCapability_VolumeExpansion_Type.ONLINE },
  },
];
