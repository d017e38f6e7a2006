import assert from "node:assert/strict";

/*
 * Content that tells what wrote it: each block of 4 KiB is filled with its own number and a generation. A block that
 * was never written is all zeros, generation 0.
 */
export const blockBytes = 4096;

/** Fills a block. */
export function stamp(block: Buffer, number: number, generation: number): void {
  block.fill(`${String(number).padStart(12, "0")} ${String(generation).padStart(18, "0")}\n`);
}

/**
 * @param first - number of the first block
 * @returns the generation of each block.
 * @throws {AssertionError} naming a block that holds anything but one generation of itself.
 */
export function generations(content: Buffer, first: number): number[] {
  const expected = Buffer.alloc(blockBytes);
  return Array.from({ length: content.length / blockBytes }, (_, index) => {
    const block = content.subarray(index * blockBytes, (index + 1) * blockBytes);
    const head = block.toString("latin1", 0, 32);
    const generation = block[0] === 0 ? 0 : Number(head.slice(13));
    if (generation > 0) stamp(expected, first + index, generation);
    else expected.fill(0);
    assert.ok(block.equals(expected), `block ${first + index} begins with ${JSON.stringify(head)}`);
    return generation;
  });
}
