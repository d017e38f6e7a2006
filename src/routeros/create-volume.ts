import { DriverError } from "#domain/errors.ts";
import type { NewVolume } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { formatVolumeTag } from "#domain/volume-tag.ts";
import type { Context } from "#lib/context.ts";
import { command } from "./command.ts";
import { removeEntry, removeImage } from "./delete-volume.ts";
import { type DiskRow, diskRow } from "./disk-row.ts";
import { type Fault, faultError, noPool } from "./faults.ts";
import { type JsonRecord, textOf } from "./json.ts";
import { bySlot, filesInTheWay, printDisks, printFiles } from "./queries.ts";
import { readBack, readLists } from "./read-records.ts";
import type { Site } from "./site.ts";
import { createLine, saysCreated } from "./volume-lines.ts";
import { volumeIn } from "./volume-reply.ts";

/**
 * Makes image and entry, or returns the entry of ours that is there. One round trip.
 * @returns `no-folder` when a folder above the volume is missing; nothing was made then.
 */
export async function createVolume(
  site: Site,
  spec: NewVolume,
  ctx: Context,
): Promise<Volume | "no-folder"> {
  const { place, pool, nvmePort, console } = site;
  const act = `create volume "${spec.slot}" on appliance "${site.name}"`;
  const image = { place, slot: spec.slot, layout: pool.layout };
  const view = command`${printDisks(bySlot(spec.slot))}; ${printFiles(filesInTheWay(image))}`;
  const effect = createLine(image, spec, pool, nvmePort);
  const { reply, doubt } = await console.apply(effect, view, ctx);
  if (!reply.ok) return await recover(site, { spec, act, fault: reply.fault }, ctx);
  const [rows = [], files = []] = readBack(reply.output, 2, act);
  const disks = rows.map(diskRow);
  const volume = volumeIn(disks, spec.slot, { place, act });
  const isNew = saysCreated(reply.output);
  if (volume === undefined) throw doubt ?? whyNone(site, { act, isNew, files });
  if (isNew) await requireAsAsked(site, { volume, row: disks[0], ...spec, act }, ctx);
  return volume;
}

/** What our own line has made just now: nobody has had it. */
interface Made extends Pick<NewVolume, "tag" | "sizeBytes"> {
  readonly volume: Volume;
  readonly row: DiskRow | undefined;
  readonly act: string;
}

/**
 * Removes what was made otherwise than asked: the next try would take it for the volume.
 * @throws {DriverError} `failed-precondition` naming the differences.
 */
export async function requireAsAsked(
  site: Site,
  { volume, row, tag, sizeBytes, act }: Made,
  ctx: Context,
): Promise<void> {
  const { slot, layout, comment, exported } = volume;
  const differences = [
    volume.sizeBytes < sizeBytes && `size ${volume.sizeBytes} instead of ${sizeBytes} bytes`,
    comment !== formatVolumeTag(tag) && `comment "${comment}"`,
    exported.enabled && 'nvme-tcp-export="yes"',
    (row?.mountsFilesystem ?? true) && 'mount-filesystem="yes"',
  ].filter((difference) => difference !== false);
  if (differences.length === 0) return;
  await removeEntry(site, volume, ctx);
  await removeImage(site, { slot, layout }, ctx);
  throw new DriverError(
    "failed-precondition",
    `Cannot ${act}: RouterOS made it with ${differences.join(" and ")}`,
  );
}

/** There is no entry after the line: its name was changed, a file is in the way, or the pool is gone. */
function whyNone(
  { place }: Site,
  { act, isNew, files }: { act: string; isNew: boolean; files: readonly JsonRecord[] },
): DriverError {
  if (isNew)
    return new DriverError(
      "failed-precondition",
      `Cannot ${act}: RouterOS made a disk entry of another name`,
    );
  const [file] = files;
  if (file !== undefined)
    return new DriverError(
      "failed-precondition",
      `Cannot ${act}: the file "${textOf(file, "name")}" is there without a disk entry, and may hold somebody's data`,
    );
  return noPool(act, place);
}

interface Refusal {
  readonly spec: NewVolume;
  readonly act: string;
  readonly fault: Fault;
}

async function recover(
  site: Site,
  { spec, act, fault }: Refusal,
  ctx: Context,
): Promise<Volume | "no-folder"> {
  if (fault.type === "not-found") return "no-folder";
  const made = await readVolume(site, { spec, act, fault }, ctx);
  if (made !== undefined && fault.type !== "no-space") return made;
  // Only making subvolume or image can fail so, and both follow the proof that nothing was there.
  if (fault.type === "no-space") await clearAttempt(site, spec, ctx);
  throw faultError(act, fault);
}

/** Another controller may have made the same volume between our look and our `add`, and ours may have come that far. */
export async function readVolume(
  { place, console }: Site,
  { spec, act }: Refusal,
  ctx: Context,
): Promise<Volume | undefined> {
  const reply = await console.read(printDisks(bySlot(spec.slot)), ctx);
  if (!reply.ok) throw faultError(act, reply.fault);
  const [rows = []] = readLists(reply.output, 1, act);
  return volumeIn(rows.map(diskRow), spec.slot, { place, act });
}

/** An attempt that ran out of space must not leave an image that the next one takes for somebody's data. */
async function clearAttempt(site: Site, { slot }: NewVolume, ctx: Context): Promise<void> {
  try {
    await removeImage(site, { slot, layout: site.pool.layout }, ctx);
  } catch (error) {
    ctx.log.warn(
      { appliance: site.name, slot, error: String(error) },
      "Cannot clear a failed volume",
    );
  }
}
