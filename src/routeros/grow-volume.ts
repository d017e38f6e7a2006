import { DriverError } from "#domain/errors.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { applyToItem } from "./apply-to-item.ts";
import { faultError } from "./faults.ts";
import { bySlot, printDisks } from "./queries.ts";
import type { Site } from "./site.ts";
import { growLine } from "./volume-lines.ts";
import { diskRowsAfter, volumeIn } from "./volume-reply.ts";

/** Grows the image to at least `sizeBytes`, never shrinks it, and reads it back. One round trip. */
export async function growVolume(
  { name, place, console }: Site,
  volume: Volume,
  sizeBytes: number,
  ctx: Context,
): Promise<Volume> {
  const { slot } = volume;
  const act = `expand volume "${slot}" on appliance "${name}"`;
  const view = printDisks(bySlot(slot));
  const { reply, doubt } =
    volume.sizeBytes < sizeBytes
      ? await applyToItem(console, { effect: growLine(volume, sizeBytes), view }, ctx)
      : { reply: await console.read(view, ctx), doubt: undefined };
  if (!reply.ok) throw faultError(act, reply.fault);
  const found = volumeIn(diskRowsAfter(reply.output, act), slot, { place, act });
  if (found === undefined)
    throw new DriverError("not-found", `Cannot ${act}: it has no disk entry`);
  if (found.sizeBytes >= sizeBytes) return found;
  if (doubt !== undefined) throw doubt;
  if (found.comment !== volume.comment)
    throw new DriverError("operation-pending", `Cannot ${act}: it has changed since it was read`);
  throw new DriverError(
    "unavailable",
    `Cannot ${act}: its size is still ${found.sizeBytes} bytes, ${sizeBytes} were asked for`,
  );
}
