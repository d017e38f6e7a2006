import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { floodWriter } from "./programs.ts";
import { blockBytes, generations } from "./stamped.ts";
import type { UsedVolume } from "./used-volume.ts";
import type { Load, WriterReport } from "./writer.ts";

/** 32 writes past the page cache of a raw block device, all the time. */
export const directFlood: Load = {
  program: [...floodWriter, "direct"],
  isRaw: true,
  assertWritten: (device, report) => assertNewest(readDevice(device, report), report),
};

/** Five files with many dirty pages, four of which are flushed again and again. */
export const fileFlood: Load = {
  program: [...floodWriter, "files"],
  assertWritten: (prefix, report) => assertNewest(readFiles(prefix, report), report),
};

/**
 * Asserts in an outage, while the writer waits, that the target has every generation of a block that was said to be
 * safe or a newer one that was begun. The file system is looked at as it would be after a crash, in a copy.
 */
export function assertSafe(used: UsedVolume): void {
  const { report } = used.writer;
  const { begun, safe } = blocksOf(report);
  const found = used.look((path) =>
    used.content === "block" ? readDevice(path, report) : readFiles(path, report),
  );
  const lost = found.findIndex(
    (generation, block) => generation < (safe[block] ?? 0) || generation > (begun[block] ?? 0),
  );
  assert.equal(lost, -1, `block ${lost} is of ${found[lost]}, and ${safe[lost]} was safe`);
}

/** How many blocks have a write that was begun and is not safe. */
export function unsafeBlocks({ writer }: UsedVolume): number {
  const { begun, safe } = blocksOf(writer.report);
  return begun.filter((generation, block) => generation !== safe[block]).length;
}

function assertNewest(found: readonly number[], report: WriterReport): void {
  const { begun } = blocksOf(report);
  const wrong = found.findIndex((generation, block) => generation !== begun[block]);
  assert.equal(wrong, -1, `block ${wrong} is of ${found[wrong]}, not of ${begun[wrong]}`);
}

function readDevice(path: string, report: WriterReport): number[] {
  const content = Buffer.alloc(blocksOf(report).begun.length * blockBytes);
  const file = openSync(path, "r");
  assert.equal(readSync(file, content, 0, content.length, 0), content.length);
  closeSync(file);
  return generations(content, 0);
}

/** What was never flushed may end early: its blocks are of generation 0. */
function readFiles(prefix: string, report: WriterReport): number[] {
  const files = 5;
  const content = Buffer.alloc(blocksOf(report).begun.length * blockBytes);
  for (let index = 0; index < files; index++)
    readFileSync(`${prefix}-${index}`).copy(content, (index * content.length) / files);
  return generations(content, 0);
}

function blocksOf({ blocks }: WriterReport) {
  assert.ok(blocks !== undefined && blocks.begun.length > 0, "the flood has begun");
  return blocks;
}
