import {
  type AccessMode,
  defaultFsType,
  fsTypes,
  type MountAccess,
  type VolumeUse,
} from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import {
  VolumeCapability_AccessMode_Mode as Mode,
  type VolumeCapability,
  type VolumeCapability_MountVolume,
} from "./gen/csi.ts";

const modes: ReadonlyMap<Mode, AccessMode> = new Map<Mode, AccessMode>([
  [Mode.SINGLE_NODE_WRITER, "single-node-writer"],
  [Mode.SINGLE_NODE_READER_ONLY, "single-node-reader-only"],
  [Mode.SINGLE_NODE_SINGLE_WRITER, "single-node-single-writer"],
  [Mode.SINGLE_NODE_MULTI_WRITER, "single-node-multi-writer"],
  [Mode.MULTI_NODE_READER_ONLY, "multi-node-reader-only"],
  [Mode.MULTI_NODE_MULTI_WRITER, "multi-node-multi-writer"],
]);

/**
 * Translates one CSI capability, and refuses what this driver cannot do.
 * @throws {DriverError} `invalid-argument` with the reason.
 */
export function volumeUseFrom(capability: VolumeCapability | undefined): VolumeUse {
  if (capability === undefined) throw refusal("it is missing");
  const accessMode = accessModeFrom(capability.accessMode?.mode ?? Mode.UNKNOWN);
  const { block, mount } = capability;
  if (mount !== undefined && block === undefined) {
    if (accessMode === "multi-node-multi-writer")
      throw refusal(
        "MULTI_NODE_MULTI_WRITER is for raw block volumes only, because two nodes would corrupt a file system",
      );
    return { accessMode, access: mountAccessFrom(mount) };
  }
  if (block !== undefined && mount === undefined) return { accessMode, access: { type: "block" } };
  throw refusal("it must ask for either block or mount access");
}

function accessModeFrom(mode: Mode): AccessMode {
  const accessMode = modes.get(mode);
  if (accessMode !== undefined) return accessMode;
  const name = Object.entries(Mode).find(([, value]) => value === mode)?.[0] ?? String(mode);
  throw refusal(`access mode ${name} is not supported`);
}

function mountAccessFrom({ fsType, mountFlags }: VolumeCapability_MountVolume): MountAccess {
  const wanted = fsType === "" ? defaultFsType : fsType;
  const known = fsTypes.find((name) => name === wanted);
  if (known === undefined)
    throw refusal(`file system "${wanted}" is not supported, only ${fsTypes.join(", ")}`);
  return { type: "mount", fsType: known, mountFlags };
}

function refusal(reason: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use the volume capability: ${reason}`);
}
