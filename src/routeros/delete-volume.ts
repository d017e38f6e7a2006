import { DriverError } from "#domain/errors.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { applyToItem } from "./apply-to-item.ts";
import { command } from "./command.ts";
import { type DiskRow, diskRow } from "./disk-row.ts";
import { faultError, noPool } from "./faults.ts";
import { textOf } from "./json.ts";
import type { ImagePlace } from "./place.ts";
import { bySlot, disksAbout, filesOfVolume, printDisks, printFiles } from "./queries.ts";
import { readBack } from "./read-records.ts";
import type { Site } from "./site.ts";
import { removeEntryLine, removeImageLine } from "./volume-lines.ts";
import { diskRowsAfter, volumeIn } from "./volume-reply.ts";

/**
 * Unexports the volume and removes its entry, each proved. One round trip.
 * @throws {DriverError} `operation-pending` when it has changed since it was read, `unavailable` when
 * it is still there.
 */
export async function removeEntry(
  { name, place, console }: Site,
  volume: Volume,
  ctx: Context,
): Promise<void> {
  const { slot, layout } = volume;
  const act = `delete volume "${slot}" on appliance "${name}"`;
  const effect = removeEntryLine({ place, slot, layout }, volume);
  const view = printDisks(bySlot(slot));
  const { reply, doubt } = await applyToItem(console, { effect, view }, ctx);
  if (!reply.ok) throw faultError(act, reply.fault);
  const left = volumeIn(diskRowsAfter(reply.output, act), slot, { place, act });
  if (left === undefined) return;
  if (doubt !== undefined) throw doubt;
  if (left.comment !== volume.comment)
    throw new DriverError("operation-pending", `Cannot ${act}: it has changed since it was read`);
  const state = left.exported.enabled ? "its export is still on" : "its disk entry is still there";
  throw new DriverError("unavailable", `Cannot ${act}: ${state}`);
}

/**
 * Removes what lies at the volume's place, unless an entry has to do with it. One round trip.
 * @throws {DriverError} `failed-precondition` when another disk uses it, `unavailable` when something is left.
 */
export async function removeImage(
  { name, place, pool, console }: Site,
  { slot, layout }: Omit<ImagePlace, "place">,
  ctx: Context,
): Promise<void> {
  const act = `delete the image of volume "${slot}" on appliance "${name}"`;
  const image = { place, slot, layout };
  const view = command`${printDisks(disksAbout(image))}; ${printFiles(filesOfVolume(image))}`;
  const isReachable = layout === "flat" || pool.layout === "subvolume";
  const { reply, doubt } = isReachable
    ? await applyToItem(console, { effect: removeImageLine(image, pool.fsLabel), view }, ctx)
    : { reply: await console.read(view, ctx), doubt: undefined };
  if (!reply.ok) throw faultError(act, reply.fault);
  const [disks = [], files = []] = readBack(reply.output, 2, act);
  requireUnused(disks.map(diskRow), image, act);
  const [left] = files;
  if (left === undefined) return;
  if (!isReachable)
    throw new DriverError(
      "failed-precondition",
      `Cannot ${act}: "${textOf(left, "name")}" is in a subvolume, and pool "${place.mountPoint}" is no longer a Btrfs file system with a label`,
    );
  throw (
    doubt ??
    new DriverError("unavailable", `Cannot ${act}: "${textOf(left, "name")}" is still there`)
  );
}

/** Where nothing is mounted no file shows, and that proves nothing. */
function requireUnused(disks: readonly DiskRow[], { place, slot }: ImagePlace, act: string): void {
  const isPool = ({ mountPoint }: DiskRow) => mountPoint === place.mountPoint;
  if (!disks.some(isPool)) throw noPool(act, place);
  const user = disks.find((disk) => !isPool(disk));
  if (user === undefined) return;
  if (volumeIn(disks, slot, { place, act }) !== undefined)
    throw new DriverError("operation-pending", `Cannot ${act}: it has been created again`);
  throw new DriverError("failed-precondition", `Cannot ${act}: disk "${user.slot}" uses it`);
}
