import { parseBareTable } from "./bare-table.ts";
import { parseTable } from "./multipath-table.ts";

/** What lies under a hold, in whichever form. */
export interface HoldTable {
  /** Length of the volume in sectors of 512 bytes. */
  readonly sectors: number;
  /** `259:1`; `undefined` for a table without entries. */
  readonly device: string | undefined;
  readonly queueing: boolean;
  /** I/O goes straight to the device. */
  readonly bare: boolean;
}

/**
 * Reads what `dmsetup table` prints of a hold.
 * @throws {SyntaxError} naming the word that is not as expected, also for a device without table.
 */
export function parseHoldTable(text: string): HoldTable {
  const bare = parseBareTable(text);
  if (bare !== undefined) return { ...bare, queueing: false, bare: true };
  const { sectors, devices, queueing } = parseTable(text);
  return { sectors, device: devices[0], queueing, bare: false };
}
