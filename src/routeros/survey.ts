import { DriverError } from "#domain/errors.ts";
import type { Survey } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { faultError } from "./faults.ts";
import { poolOf, provisionedBytes } from "./pool-row.ts";
import { printAllDisks } from "./queries.ts";
import type { Site } from "./site.ts";
import { diskRows } from "./volume-reply.ts";
import { standingOf } from "./volume-row.ts";

/** An entry that bears our tag and lies where no volume of ours does. */
export interface Misplaced {
  readonly slot: string;
  readonly reason: string;
}

/** Reads all disks at once: every question about that moment has its answer in the one reply. */
export async function readSurvey(
  { name, place, console }: Omit<Site, "pool">,
  ctx: Context,
): Promise<Survey & { readonly misplaced: readonly Misplaced[] }> {
  const act = `list the disks of appliance "${name}"`;
  const reply = await console.read(printAllDisks, ctx);
  if (!reply.ok) throw faultError(act, reply.fault);
  const rows = diskRows(reply.output, act);
  const pool = poolOf(rows, place.mountPoint);
  if (pool === undefined)
    throw new DriverError(
      "unavailable",
      `Cannot use pool "${place.mountPoint}" on appliance "${name}": no disk is mounted there`,
    );
  const images = rows.filter((row) => row.type === "file");
  const standings = images.map((row) => ({ slot: row.slot, standing: standingOf(row, place) }));
  const { mountPoint, layout, sizeBytes, freeBytes } = pool;
  return {
    volumes: standings.flatMap(({ standing }) => (standing.ours ? [standing.volume] : [])),
    misplaced: standings.flatMap(({ slot, standing }) =>
      !standing.ours && standing.misplaced ? [{ slot, reason: standing.reason }] : [],
    ),
    pool: { mountPoint, layout, sizeBytes, freeBytes },
    provisionedBytes: provisionedBytes(rows, place.mountPoint),
  };
}
