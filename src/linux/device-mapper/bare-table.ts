import { Words } from "./words.ts";

/** A hold that lies bare on its device: nothing waits in it, and each error reaches whoever caused it. */
export interface BareTable {
  /** Length in sectors of 512 bytes, without the tail. */
  readonly sectors: number;
  /** `259:1` */
  readonly device: string;
}

/** One block of 4,096 bytes: the kernel wants whole blocks. */
const tailSectors = 8;

/**
 * The device as it is, and behind it a tail that nobody has been told of and that only fails. The tail is the
 * way in: in place of a multipath target the kernel takes no table but one with an `error` target in it
 * (Linux, drivers/md/dm-ioctl.c: table_load(); observed on Linux 6.12).
 */
export function formatBareTable({ sectors, device }: BareTable): string {
  return `0 ${sectors} linear ${device} 0\n${sectors} ${tailSectors} error\n`;
}

/**
 * Reads what `dmsetup table` prints.
 * @returns `undefined` for a table of another kind.
 * @throws {SyntaxError} naming the word that is not as expected.
 */
export function parseBareTable(text: string): BareTable | undefined {
  if (!/^\d+ \d+ linear /.test(text)) return undefined;
  const words = new Words("table of a bare hold", text);
  words.take("start", /^0$/);
  const sectors = words.number("length");
  words.take("target", /^linear$/);
  const device = words.take("device", /^\d+:\d+$/);
  words.take("offset", /^0$/);
  words.take("start of the tail", new RegExp(`^${sectors}$`));
  words.number("length of the tail");
  words.take("target of the tail", /^error$/);
  words.end();
  return { sectors, device };
}
