import type { BlockDevice } from "#domain/block-device.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";

export interface Claim {
  readonly volume: StagedVolume;
  readonly device: BlockDevice;
  /** Of the hold; 0 where there is none. */
  readonly minSizeBytes: number;
}

/**
 * Whether a device that came back is the same volume. Of a raw block volume only the outside can be compared.
 * @returns why it is not, or `undefined` when nothing speaks against it and a direct read has succeeded.
 * @throws {DriverError} `unavailable` when it cannot be read, or is another one by now: nothing is proved yet.
 */
export async function disprove(
  claim: Claim,
  host: NodeHost,
  ctx: Context,
): Promise<string | undefined> {
  const outside = differsOutside(claim);
  if (outside !== undefined) return outside;
  await host.reads.readDirect(claim.device.path, ctx);
  return await differsInside(claim, host, ctx);
}

function differsOutside({ volume, device, minSizeBytes }: Claim): string | undefined {
  if (device.nqn !== volume.target.nqn) return `its NQN is "${device.nqn}"`;
  if (device.sizeBytes < minSizeBytes)
    return `it has ${device.sizeBytes} bytes, the volume had ${minSizeBytes}`;
  if (volume.blockBytes !== undefined && device.blockBytes !== volume.blockBytes)
    return `its blocks have ${device.blockBytes} bytes, those of the volume ${volume.blockBytes}`;
  return undefined;
}

async function differsInside(
  { volume, device }: Claim,
  { filesystems }: NodeHost,
  ctx: Context,
): Promise<string | undefined> {
  if (volume.use.access.type === "block") return undefined;
  const content = await filesystems.inspect(device.path, ctx);
  if (content.kind !== "filesystem")
    return `it holds ${content.kind === "blank" ? "nothing" : content.description}`;
  if (content.fsType !== volume.use.access.fsType)
    return `its file system is ${content.fsType}, not ${volume.use.access.fsType}`;
  if (volume.fsUuid !== undefined && content.uuid !== volume.fsUuid)
    return `its file system has the UUID "${content.uuid}", that of the volume is "${volume.fsUuid}"`;
  return undefined;
}
