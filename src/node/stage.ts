import { isDeepStrictEqual } from "node:util";
import type { VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { attach } from "./attach.ts";
import { isInUse, mountsOf, refuseHolders, refuseMounted } from "./device-users.ts";
import { failWithoutPath } from "./hold.ts";
import type { NodeHost } from "./host.ts";
import { mountOptions } from "./mount-options.ts";
import { isDeviceNode } from "./mount-table.ts";
import { stillPublished } from "./published.ts";
import { isReadOnlyDevice } from "./read-only-device.ts";
import { settlePast } from "./settle-past.ts";
import { stageFilesystem } from "./stage-filesystem.ts";
import type { Staging } from "./staging.ts";
import { Undo } from "./undo.ts";
import { type VolumeDisk, verifyDisk } from "./volume-disk.ts";

export interface StageRequest extends Omit<StagedVolume, keyof Learned> {
  /** A smaller device is not the volume, or not all of it. */
  readonly minSizeBytes: number;
}

/** What is found out while a volume is staged. */
type Learned = Pick<
  StagedVolume,
  "phase" | "fsUuid" | "blockBytes" | "identity" | "doubtfulSince" | "remounting" | "published"
>;

/**
 * Brings a volume to this node: connect, find the device by its NQN, hold it, format it if it is blank, mount it
 * at the staging path. Repeating it is success. What fails takes back its own steps and nothing else.
 * The record is written ahead of each step that a crash could leave half done.
 */
export async function stage(request: StageRequest, host: NodeHost, ctx: Context): Promise<void> {
  try {
    await stageOnce(request, host, ctx);
  } catch (error) {
    throw host.tools.has(request.target.nqn) ? notFinal(error) : error;
  }
}

/** Of a call whose tool goes on. Kubelet takes other failures as final: it would think that nothing is left here, and not unstage. */
function notFinal(error: unknown): unknown {
  if (!(error instanceof DriverError) || error.kind === "operation-pending") return error;
  return new DriverError("unavailable", error.message, { cause: error });
}

async function stageOnce(request: StageRequest, host: NodeHost, ctx: Context): Promise<void> {
  const { minSizeBytes, ...wanted } = request;
  refuseUnknownFlags(wanted.use);
  const known = await settlePast({ ...wanted, phase: "connecting" }, host, ctx);
  const isUsed = known !== undefined && (await isInUse(known, host, ctx));
  const published = await stillPublished(known, host, ctx);
  const volume = {
    ...goingOnFrom(known, wanted),
    ...(isUsed && heldSince(known)),
    ...(published.length > 0 && { published }),
  };
  if (!isDeepStrictEqual(volume, known)) await host.records.save(volume, ctx);
  await using undo = new Undo(ctx);
  const resumed = known !== undefined && known.phase !== "staged";
  const wantsHold = wanted.reconnect.mode === "transparent";
  if (wantsHold && host.holds === undefined)
    ctx.log.warn(
      { volumeId: wanted.volumeId, nqn: wanted.target.nqn },
      "Staging a volume without a hold: none can be made on this node, as was said when the plugin started",
    );
  try {
    await bringUp(volume, { host, undo, minSizeBytes, resumed, wantsHold }, ctx);
    undo.keep();
  } finally {
    // it needs the disk as it is, and the next call its result
    if (host.tools.has(wanted.target.nqn)) undo.keep();
  }
}

/** What this call wants, with what this node has found out before; how a staged volume is held is such a fact. */
function goingOnFrom(
  known: StagedVolume | undefined,
  wanted: Omit<StagedVolume, "phase">,
): StagedVolume {
  const { fsUuid, blockBytes, phase = "connecting" } = known ?? {};
  const { mode } = known?.phase === "staged" ? known.reconnect : wanted.reconnect;
  return {
    ...wanted,
    phase,
    reconnect: { ...wanted.reconnect, mode },
    ...(fsUuid !== undefined && { fsUuid }),
    ...(blockBytes !== undefined && { blockBytes }),
  };
}

/** Of a volume in use only: whatever is mounted afresh reads what the disk holds now. */
function heldSince({ identity, doubtfulSince }: StagedVolume) {
  return {
    ...(identity !== undefined && { identity }),
    ...(doubtfulSince !== undefined && { doubtfulSince }),
  };
}

async function bringUp(volume: StagedVolume, staging: Staging, ctx: Context): Promise<void> {
  const { host } = staging;
  const device = await attach(volume, staging, ctx);
  if (host.tools.has(device.nqn)) await failWithoutPath(device, host, ctx);
  const ended = await host.tools.join(device.nqn, ctx);
  if (ended !== undefined) await verifyDisk(device, host, ctx);
  await refuseForeignUsers(volume, device, host, ctx);
  const { access } = volume.use;
  const readOnly = isReadOnlyDevice(volume.use);
  // Set back as well: a device may be as its last user left it. A staged one has users of its own.
  if (readOnly || volume.phase !== "staged")
    await host.devices.setReadOnly(device.path, readOnly, ctx);
  // A raw block volume has nothing at its staging path: its device is published as it is.
  const ready =
    access.type === "mount"
      ? await stageFilesystem({ volume, access, device, ended }, staging, ctx)
      : volume;
  const staged = stagedOn(device, ready);
  if (isDeepStrictEqual(staged, ready)) return;
  await host.records.save(staged, ctx);
  ctx.log.info({ nqn: device.nqn, device: device.path }, "Staged a volume");
}

/** The record tells what is, not what was wished for: a volume may be without a hold although it should have one. */
function stagedOn({ under, ...disk }: VolumeDisk, volume: StagedVolume): StagedVolume {
  const mode = under === undefined ? "remount" : "transparent";
  const identity = volume.identity ?? (under ?? disk).identity;
  return {
    ...volume,
    phase: "staged",
    blockBytes: disk.blockBytes,
    reconnect: { ...volume.reconnect, mode },
    ...(identity !== undefined && { identity }),
  };
}

/** Before anything is done: mount flags off the list are the administrator's to correct. */
function refuseUnknownFlags({ access, accessMode }: VolumeUse): void {
  if (access.type === "mount") mountOptions(access, accessMode);
}

/**
 * A raw block volume's device must not be mounted, and nobody may have its node yet: a node that a pod kept
 * from a device that is gone leads to whatever has its number now. What a device without a hold lies under, before it was
 * ever given to a pod, is the host's doing: multipathd's, or LVM's.
 */
async function refuseForeignUsers(
  volume: StagedVolume,
  device: VolumeDisk,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const isBlock = volume.use.access.type === "block";
  const mayHaveNodes = isBlock && volume.phase === "staged";
  const mounts = await mountsOf(device, host, ctx);
  const besides = device.under === undefined ? [] : await mountsOf(device.under, host, ctx);
  const foreign = mounts.filter((mount) => (isDeviceNode(mount) ? !mayHaveNodes : isBlock));
  const act = `stage volume "${volume.volumeId}" on "${device.path}" (${device.majorMinor})`;
  refuseMounted([...foreign, ...besides], act);
  if (device.under === undefined && volume.phase !== "staged")
    await refuseHolders(device, act, host, ctx);
}
