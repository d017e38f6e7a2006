import { DriverError } from "#domain/errors.ts";
import { type Origin, sourceOf } from "#domain/origin.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { formatVolumeTag } from "#domain/volume-tag.ts";
import type { Context } from "#lib/context.ts";
import { applyToItem } from "./apply-to-item.ts";
import { command } from "./command.ts";
import { readVolume, requireAsAsked } from "./create-volume.ts";
import { removeEntry } from "./delete-volume.ts";
import { type DiskRow, diskRow } from "./disk-row.ts";
import { type Fault, faultError, noPool } from "./faults.ts";
import { type JsonRecord, textOf } from "./json.ts";
import { canonicalPath } from "./paths.ts";
import { type ImagePlace, imagePath, subvolumeName } from "./place.ts";
import { disksAbout, printDisks, printFiles, subvolumeOf } from "./queries.ts";
import { readBack, readRecords } from "./read-records.ts";
import type { RestingLeftovers } from "./resting-leftovers.ts";
import type { Site } from "./site.ts";
import {
  copyLine,
  parentName,
  printLineage,
  removeLeftoverLine,
  subvolumeOfOrigin,
} from "./subvolume-lines.ts";
import { saysCreated } from "./volume-lines.ts";
import { volumeIn } from "./volume-reply.ts";

/** One copy under way. */
interface Copying {
  readonly site: Site;
  readonly spec: NewVolume;
  readonly origin: Origin;
  readonly image: ImagePlace;
  readonly leftovers: RestingLeftovers;
  readonly act: string;
}

/**
 * Makes a volume of the content of another, or of a snapshot, or returns the entry of ours that is there. One
 * round trip; three when an earlier try has left a copy without an entry.
 * @throws {DriverError} `unavailable` while such a copy may be one that is just being made.
 */
export async function copyVolume(
  site: Site,
  { spec, origin, leftovers }: Pick<Copying, "spec" | "origin" | "leftovers">,
  ctx: Context,
): Promise<Volume> {
  const { place } = site;
  const act = `create volume "${spec.slot}" from "${sourceOf(origin)}" on appliance "${site.name}"`;
  const image = { place, slot: spec.slot, layout: "subvolume" } as const;
  const copying = { site, spec, origin, image, leftovers, act };
  const first = await tryCopy(copying, ctx);
  if (!("leftover" in first)) return first;
  const restMs = leftovers.remaining(first.leftover);
  if (restMs > 0) throw resting(copying, restMs);
  await clear(copying, first.leftover, ctx);
  const second = await tryCopy(copying, ctx);
  if (!("leftover" in second)) return second;
  throw new DriverError(
    "unavailable",
    `Cannot ${act}: what an earlier try has left of it, "${subvolumeName(place, spec.slot)}", is still there`,
  );
}

function resting({ site, spec, act }: Copying, restMs: number): DriverError {
  return new DriverError(
    "unavailable",
    `Cannot ${act}: an earlier try has begun "${subvolumeName(site.place, spec.slot)}" and may still be at it; it is cleared away in ${Math.ceil(restMs / 1_000)} s unless it has got a disk entry by then`,
  );
}

/** What stands at the place of a copy, made of the same origin, without any disk entry. */
interface Leftover {
  readonly leftover: string;
}

async function tryCopy(copying: Copying, ctx: Context): Promise<Volume | Leftover> {
  const { site, spec, origin, image, act } = copying;
  const { place, pool, nvmePort, console } = site;
  const { fsLabel } = pool;
  const disks = printDisks(disksAbout(image));
  const own = printLineage(subvolumeOf(place, spec.slot, fsLabel));
  const origins = printLineage(subvolumeOfOrigin({ place, fsLabel }, origin));
  const files = printFiles(command`name=${imagePath(image)}`);
  const view = command`${disks}; ${own}; ${origins}; ${files}`;
  const effect = copyLine(image, spec, origin, { fsLabel, nvmePort });
  const { reply, doubt } = await console.apply(effect, view, ctx);
  if (!reply.ok) return await recover(copying, reply.fault, ctx);
  const [rows = [], owns = [], sources = [], shownFiles = []] = readBack(reply.output, 4, act);
  const found = rows.map(diskRow);
  const volume = volumeIn(found, spec.slot, { place, act });
  if (volume === undefined) {
    if (doubt !== undefined) throw doubt;
    return leftoverOf(copying, { disks: found, owns, origins: sources });
  }
  const row = found.find(({ slot }) => slot === spec.slot);
  // a copy has its origin's size until it is grown
  const { tag } = spec;
  if (saysCreated(reply.output))
    await requireAsAsked(site, { volume, row, tag, sizeBytes: 0, act }, ctx);
  else await requireImage(copying, volume, shownFiles, ctx);
  return volume;
}

/**
 * Of two lines at once, one may clear away what the other has just made. An entry alone is no copy, and must not stay: the
 * next try would take it for one.
 */
async function requireImage(
  { site, spec, image, act }: Copying,
  volume: Volume,
  files: readonly JsonRecord[],
  ctx: Context,
): Promise<void> {
  const path = imagePath(image);
  if (files.some((file) => canonicalPath(textOf(file, "name")) === path)) return;
  const cannot = `Cannot ${act}: its disk entry is there, and its image "${path}" is not`;
  if (volume.comment !== formatVolumeTag(spec.tag))
    throw new DriverError("failed-precondition", cannot);
  await removeEntry(site, volume, ctx);
  throw new DriverError("unavailable", `${cannot}; the entry is removed, to make both anew`);
}

interface Seen {
  readonly disks: readonly DiskRow[];
  readonly owns: readonly JsonRecord[];
  readonly origins: readonly JsonRecord[];
}

/** @throws {DriverError} when it is no leftover that kept the line from making the copy. */
function leftoverOf({ site, origin, act }: Copying, { disks, owns, origins }: Seen): Leftover {
  const isPool = ({ mountPoint }: DiskRow) => mountPoint === site.place.mountPoint;
  if (!disks.some(isPool)) throw noPool(act, site.place);
  const user = disks.find((disk) => !isPool(disk));
  if (user !== undefined)
    throw new DriverError(
      "failed-precondition",
      `Cannot ${act}: disk "${user.slot}" uses what is at its place`,
    );
  if (origins.length === 0)
    throw new DriverError(
      "not-found",
      `Cannot ${act}: "${parentName(origin)}" is not there${origin.type === "snapshot" ? ", or somebody made it writable" : ""}`,
    );
  const [own] = owns;
  const leftover = begunFrom(origin, own);
  if (leftover !== undefined) return { leftover };
  if (own === undefined)
    throw new DriverError("operation-pending", `Cannot ${act}: somebody else is at it`);
  throw new DriverError(
    "failed-precondition",
    `Cannot ${act}: the subvolume "${textOf(own, "fullname")}" is there without a disk entry and was not made from "${parentName(origin)}": it may hold somebody's data`,
  );
}

/** @returns the UUID of a subvolume that is a copy of the origin. */
function begunFrom(origin: Origin, own: JsonRecord | undefined): string | undefined {
  if (own === undefined || textOf(own, "parent") !== parentName(origin)) return undefined;
  return textOf(own, "uuid") || undefined;
}

/** The ioctl by which a subvolume is made says it of one that is there: another line has just made it. */
const madeByAnother = /BTRFS_IOC_\w+ failed/;

/**
 * An entry that is there is the volume, which is finished by who asked for it. Nothing else of a refused copy may stay: nobody would ask for it again, and it would keep its origin's blocks.
 */
async function recover(copying: Copying, fault: Fault, ctx: Context): Promise<Volume> {
  const { site, spec, origin, act } = copying;
  const made = await readVolume(site, { spec, act, fault }, ctx);
  if (made !== undefined) return made;
  if (fault.type === "already-exists" && madeByAnother.test(fault.text))
    throw new DriverError(
      "operation-pending",
      `Cannot ${act}: somebody else is at it, RouterOS says "${fault.text}"`,
    );
  try {
    const query = printLineage(subvolumeOf(site.place, spec.slot, site.pool.fsLabel));
    const reply = await site.console.read(query, ctx);
    const [own] = reply.ok ? readRecords(reply.output, act) : [];
    const leftover = begunFrom(origin, own);
    if (leftover !== undefined) await clear(copying, leftover, ctx);
  } catch (error) {
    const { slot } = spec;
    ctx.log.warn(
      { appliance: site.name, slot, error: String(error) },
      "Cannot clear a failed copy",
    );
  }
  if (fault.type !== "already-exists") throw faultError(act, fault);
  throw new DriverError("failed-precondition", `Cannot ${act}: RouterOS says "${fault.text}"`);
}

async function clear(
  { site, image, leftovers, act }: Copying,
  uuid: string,
  ctx: Context,
): Promise<void> {
  const { place, pool, console } = site;
  const { slot } = image;
  const effect = removeLeftoverLine(image, uuid, pool.fsLabel);
  const view = printLineage(subvolumeOf(place, slot, pool.fsLabel));
  const { reply } = await applyToItem(console, { effect, view }, ctx);
  if (!reply.ok) throw faultError(act, reply.fault);
  const left = readBack(reply.output, 1, act).flat();
  if (left.some((row) => textOf(row, "uuid") === uuid)) return;
  leftovers.forget(uuid);
  ctx.log.warn(
    { appliance: site.name, slot, uuid },
    "Removed a copy that was begun and has no disk entry",
  );
}
