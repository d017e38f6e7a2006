import { DriverError } from "#domain/errors.ts";
import type { VolumeChange } from "#domain/ports/volume-store.ts";
import type { Volume } from "#domain/volume.ts";
import { formatVolumeTag } from "#domain/volume-tag.ts";
import type { Context } from "#lib/context.ts";
import { applyToItem } from "./apply-to-item.ts";
import { faultError } from "./faults.ts";
import { bySlot, printDisks } from "./queries.ts";
import type { Site } from "./site.ts";
import { changeLine } from "./volume-lines.ts";
import { diskRowsAfter, volumeIn } from "./volume-reply.ts";

/**
 * Applies `change` if the entry still bears the comment that was read. One round trip.
 * @returns the volume as read back and found as asked; `undefined` when somebody else was faster.
 */
export async function changeVolume(
  { name, place, console }: Site,
  volume: Volume,
  change: VolumeChange,
  ctx: Context,
): Promise<Volume | undefined> {
  const { slot } = volume;
  const act = `change volume "${slot}" on appliance "${name}"`;
  const view = printDisks(bySlot(slot));
  const { reply, doubt } = await applyToItem(
    console,
    { effect: changeLine(volume, change), view },
    ctx,
  );
  if (!reply.ok) throw faultError(act, reply.fault);
  const found = volumeIn(diskRowsAfter(reply.output, act), slot, { place, act });
  if (found?.comment === formatVolumeTag(change.tag)) return requireExport(found, change, act);
  if (found?.comment !== volume.comment) return undefined;
  throw doubt ?? refused(found, act);
}

/** The comment is as it was read, so nobody was faster: only a live export keeps a new NQN away. */
function refused({ exported }: Volume, act: string): DriverError {
  if (exported.enabled)
    return new DriverError(
      "failed-precondition",
      `Cannot ${act}: it is exported as "${exported.nqn}", and a new NQN is set only while it is not`,
    );
  return new DriverError("unavailable", `Cannot ${act}: RouterOS left it as it was`);
}

function requireExport(found: Volume, { exported: wanted }: VolumeChange, act: string): Volume {
  if (wanted === undefined) return found;
  const { enabled, nqn, port } = found.exported;
  if (enabled !== wanted.enabled)
    throw new DriverError(
      "unavailable",
      `Cannot ${act}: its export is still ${enabled ? "on" : "off"} after it was turned ${wanted.enabled ? "on" : "off"}`,
    );
  if (!wanted.enabled || (nqn === wanted.nqn && port === wanted.port)) return found;
  throw new DriverError(
    "unavailable",
    `Cannot ${act}: RouterOS exports it as "${nqn}" on port ${port} instead of "${wanted.nqn}" on port ${wanted.port}`,
  );
}
