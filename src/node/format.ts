import { accessModes } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { DeviceContent } from "#domain/ports/filesystems.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { refuseInUse } from "./device-users.ts";
import type { NodeHost } from "./host.ts";
import type { Tool } from "./lasting-tools.ts";
import type { AttachedFilesystem, Staging } from "./staging.ts";
import { verifyDisk } from "./volume-disk.ts";

/**
 * The format guard: makes a file system on a device that is proved blank, and leaves every other one alone.
 * The one device with content that is formatted is the one whose record says `formatting`: this node began
 * to format it, under this NQN, when it was blank, and has handed it to nobody since.
 * @returns the record of the volume, with the UUID of the file system on it.
 * @throws {DriverError} `failed-precondition` for any other content, and for a blank device that may only be
 * read; `unavailable` when the content cannot be told now.
 */
export async function ensureFilesystem(
  attached: AttachedFilesystem,
  staging: Staging,
  ctx: Context,
): Promise<StagedVolume> {
  const { volume, device, ended } = attached;
  const { host } = staging;
  const content = await host.filesystems.inspect(device.path, ctx);
  if (volume.phase !== "formatting" && content.kind !== "blank")
    return await remember(withUuid(volume, acceptContent(content, attached)), attached, host, ctx);
  const isMade = volume.phase === "formatting" && ended === "format";
  const made = isMade ? content : await format(attached, staging, ctx);
  const formatted = withUuid({ ...volume, phase: "connecting" }, acceptContent(made, attached));
  await host.records.save(formatted, ctx);
  return formatted;
}

/** @returns what the device holds then. */
async function format(
  attached: AttachedFilesystem,
  { host, minSizeBytes }: Staging,
  ctx: Context,
): Promise<DeviceContent> {
  requireFormattable(attached, minSizeBytes);
  const { volume, access, device } = attached;
  await refuseInUse(device, `format volume "${volume.volumeId}"`, host, ctx);
  // the record will say that this very disk was seen to be blank: a name may have led to another one meanwhile
  await verifyDisk(device, host, ctx);
  await host.records.save({ ...volume, phase: "formatting" }, ctx);
  await verifyDisk(device, host, ctx);
  ctx.log.info({ device: device.path, fsType: access.fsType }, "Formatting a blank device");
  const request = { fsType: access.fsType, options: volume.mkfsOptions };
  const tool: Tool = {
    kind: "format",
    name: `mkfs of ${access.fsType} on "${device.path}"`,
    run: (toolCtx) => host.filesystems.make(device.path, request, toolCtx),
  };
  await host.tools.run(device.nqn, tool, ctx);
  return await host.filesystems.inspect(device.path, ctx);
}

type FilesystemContent = Extract<DeviceContent, { readonly kind: "filesystem" }>;

/** A file system of the type that was asked for is the volume's own; anything else is somebody's data. */
function acceptContent(
  content: DeviceContent,
  { volume, access, device }: AttachedFilesystem,
): FilesystemContent {
  if (content.kind === "filesystem" && content.fsType === access.fsType) return content;
  throw new DriverError(
    "failed-precondition",
    `Cannot mount volume "${volume.volumeId}" as ${access.fsType}: "${device.path}" holds ${describe(content)}`,
  );
}

function describe(content: DeviceContent): string {
  if (content.kind === "filesystem") return `a file system of type "${content.fsType}"`;
  return content.kind === "other" ? content.description : "nothing";
}

function requireFormattable({ volume, device }: AttachedFilesystem, minSizeBytes: number): void {
  const refusal = (reason: string): DriverError =>
    new DriverError(
      "failed-precondition",
      `Cannot format volume "${volume.volumeId}" on "${device.path}": ${reason}`,
    );
  if (!accessModes[volume.use.accessMode].writes)
    throw refusal(`it is blank, and access mode "${volume.use.accessMode}" only reads`);
  if (volume.phase === "staged") throw refusal("it is blank, but was staged with data before");
  if (device.nqn !== volume.target.nqn) throw refusal(`it belongs to "${device.nqn}"`);
  if (device.sizeBytes < minSizeBytes)
    throw refusal(`it has ${device.sizeBytes} bytes, expected at least ${minSizeBytes}`);
}

/** Before it is mounted: a call that is repeated after that does not look at the disk again. */
async function remember(
  known: StagedVolume,
  { volume }: AttachedFilesystem,
  { records }: NodeHost,
  ctx: Context,
): Promise<StagedVolume> {
  if (known.fsUuid !== volume.fsUuid) await records.save(known, ctx);
  return known;
}

function withUuid(volume: StagedVolume, { uuid }: FilesystemContent): StagedVolume {
  return uuid === undefined ? volume : { ...volume, fsUuid: uuid };
}
