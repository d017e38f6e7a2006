import { isNqnOf, type Nqn } from "#domain/nqn.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { parseVolumeId, type Slot } from "#domain/volume-id.ts";
import type { Context } from "#lib/context.ts";
import { clearStagingPath } from "./clear-staging.ts";
import { refuseInUse } from "./device-users.ts";
import type { HoldingHost, NodeHost } from "./host.ts";
import { findDisk } from "./volume-disk.ts";

/**
 * Takes a volume off this node that has no record, as after the loss of the state folder. An NQN is never guessed, because
 * disconnecting a wrong one takes somebody's disk away. Only a hold proves one: nobody but this driver makes it, its UUID bears
 * the NQN, and that names the volume. It goes, and its connection, if no record claims it and nobody uses it.
 * @throws {DriverError} as `release`, while somebody uses what is mounted, or the hold.
 */
export async function unstageUnrecorded(
  { volumeId, stagingPath }: Pick<StagedVolume, "volumeId" | "stagingPath">,
  host: NodeHost,
  ctx: Context,
): Promise<void> {
  const act = `unstage volume "${volumeId}"`;
  const { holds } = host;
  const slot = parseVolumeId(volumeId)?.slot;
  await clearStagingPath(stagingPath, act, host, ctx);
  if (holds !== undefined && slot !== undefined)
    for (const nqn of await provenNqns(slot, { ...host, holds }, ctx))
      await letGo(nqn, act, { ...host, holds }, ctx);
  ctx.log.info(
    { volumeId, slot },
    "No record names the volume: a connection without a hold would be left, /sys/class/nvme/*/subsysnqn shows it by the slot in its NQN",
  );
}

/** Those of holds that bear the volume's name and that no record claims. A record that cannot be read may claim any. */
async function provenNqns(
  slot: Slot,
  { holds, records }: HoldingHost,
  ctx: Context,
): Promise<readonly Nqn[]> {
  const { volumes, damaged } = await records.list(ctx);
  if (damaged.length > 0) return [];
  const claimed = new Set(volumes.map(({ target }) => target.nqn));
  const named = (await holds.list(ctx)).map(({ nqn }) => nqn);
  return named.filter((nqn) => isNqnOf(nqn, slot) && !claimed.has(nqn));
}

/** A hold that is not on its device may have writes waiting in it: without the record nobody can bring it back, nor end it. */
async function letGo(nqn: Nqn, act: string, host: HoldingHost, ctx: Context): Promise<void> {
  await host.tools.end(nqn, ctx);
  const disk = await findDisk(nqn, host, ctx);
  if (disk === undefined) {
    ctx.log.warn({ nqn }, "Left a hold that is not on its device, and that no record names");
    return;
  }
  await refuseInUse(disk, act, host, ctx);
  await host.holds.remove(nqn, ctx);
  const device = await host.initiator.findDevice(nqn, ctx);
  if (device !== undefined) await refuseInUse(device, act, host, ctx);
  await host.initiator.disconnect(nqn, ctx);
  ctx.log.info({ nqn }, "Disconnected a volume that no record names, by its hold");
}
