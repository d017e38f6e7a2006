import { Words } from "./words.ts";

/** The table of a hold, as far as it says something. */
export interface MultipathTable {
  /** Length in sectors of 512 bytes. */
  readonly sectors: number;
  /** Major:minor of each entry, in their order. */
  readonly devices: readonly string[];
  readonly queueing: boolean;
}

/**
 * One device, twice, in two groups. With one entry the path fails on the first error of an outage and stays
 * failed; with two, the retry goes to the same namespace by the other entry and waits in the kernel's native
 * multipath until the controller is back (observed on Linux 6.1 and 6.12). `bio`, because requests would wait in
 * a queue of their own. Source of the form: Linux, drivers/md/dm-mpath.c.
 */
export function formatTable(sectors: number, majorMinor: string): string {
  const group = `service-time 0 1 1 ${majorMinor} 1`;
  return `0 ${sectors} multipath 3 queue_if_no_path queue_mode bio 0 2 1 ${group} ${group}`;
}

/**
 * Reads what `dmsetup table` prints of a multipath device.
 * @throws {SyntaxError} naming the word that is not as expected, also for a device without table.
 */
export function parseTable(text: string): MultipathTable {
  const words = new Words("multipath table", text);
  words.take("start", /^0$/);
  const sectors = words.number("length");
  words.take("target", /^multipath$/);
  const features = words.counted("features");
  words.counted("hardware handler arguments");
  const groups = words.number("number of groups");
  words.number("next group");
  const devices: string[] = [];
  for (let group = 0; group < groups; group++) devices.push(...readGroup(words));
  words.end();
  return { sectors, devices, queueing: features.includes("queue_if_no_path") };
}

function readGroup(words: Words): string[] {
  words.take("path selector", /^[a-z-]+$/);
  words.counted("path selector arguments");
  const paths = words.number("number of paths");
  const pathArguments = words.number("number of path arguments");
  const devices: string[] = [];
  for (let path = 0; path < paths; path++) {
    devices.push(words.take("device", /^\d+:\d+$/));
    words.many(pathArguments, "path argument");
  }
  return devices;
}
