import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { blockBytes, stamp } from "./stamped.ts";

/*
 * A program that keeps many writes of 16 to 64 KiB in flight. `direct <device>`: 32 of them past the page cache, each
 * slot at places of its own. `files <prefix>`: four files, each with 16 dirty places before it is flushed, and one that is
 * never flushed. Each write is a new generation. Says in lines of JSON which generation of each block was begun and
 * which is safe; ends by itself on the first error, or when its input ends.
 */
const [mode, path = ""] = process.argv.slice(2);
const quarterBlocks = 4;
const placeBlocks = 4 * quarterBlocks;
const placeBytes = placeBlocks * blockBytes;
const begun: number[] = [];
const safe: number[] = [];
let generation = 0;
let flushed = 0;
let ending = false;

function say(error?: string): void {
  const report = { flushed, longestMs: 0, error, blocks: { begun, safe } };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** A file that is written to, as a part of all the blocks that are reported. */
interface Part {
  readonly file: FileHandle;
  readonly first: number;
}

async function openPart(name: string, flags: number, places: number): Promise<Part> {
  const first = begun.length;
  for (const list of [begun, safe]) list.push(...Array(places * placeBlocks).fill(0));
  return { file: await open(name, flags), first };
}

/** @returns what must be called when it is safe. */
async function writeAt({ file, first }: Part, place: number, buffer: Buffer): Promise<() => void> {
  generation += 1;
  const mine = generation;
  const quarters = 1 + (mine % 4);
  const offset = place * placeBlocks + quarterBlocks * ((mine >> 2) % (5 - quarters));
  const numbers = Array.from({ length: quarters * quarterBlocks }, (_, i) => first + offset + i);
  for (const [index, number] of numbers.entries()) {
    stamp(buffer.subarray(index * blockBytes, (index + 1) * blockBytes), number, mine);
    begun[number] = mine;
  }
  const length = numbers.length * blockBytes;
  const { bytesWritten } = await file.write(buffer, 0, length, offset * blockBytes);
  if (bytesWritten !== length) throw new Error(`${bytesWritten} bytes of ${length} were written`);
  return () => {
    for (const number of numbers) safe[number] = mine;
  };
}

/** At the bounds of pages, as the kernel wants what goes past its cache: memory that could grow begins there. */
function alignedBuffers(count: number): Buffer[] {
  const bytes = count * placeBytes;
  const buffer = new ArrayBuffer(bytes, { maxByteLength: bytes });
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(buffer, index * placeBytes, placeBytes),
  );
}

async function direct(): Promise<unknown> {
  const slots = alignedBuffers(32);
  const part = await openPart(path, constants.O_RDWR | constants.O_DIRECT, 2 * slots.length);
  const keepWriting = async (buffer: Buffer, slot: number) => {
    for (let round = 0; !ending; round++) {
      const isSafe = await writeAt(part, 2 * slot + (round % 2), buffer);
      isSafe();
      flushed += 1;
    }
  };
  return await Promise.all(slots.map(keepWriting));
}

async function files(): Promise<unknown> {
  const places = 32;
  const openFile = (index: number) =>
    openPart(`${path}-${index}`, constants.O_RDWR | constants.O_CREAT, places);
  const keepWriting = async (part: Part, isFlushed: boolean) => {
    const buffers = Array.from({ length: places / 2 }, () => Buffer.alloc(placeBytes));
    for (let round = 0; !ending; round++) {
      const written = await Promise.all(
        buffers.map((buffer, index) => writeAt(part, 2 * index + (round % 2), buffer)),
      );
      if (isFlushed) {
        await part.file.sync();
        for (const isSafe of written) isSafe();
        flushed += 1;
      }
      await delay(1_000);
    }
  };
  const parts: Part[] = [];
  for (let index = 0; index < 5; index++) parts.push(await openFile(index));
  return await Promise.all(parts.map((part, index) => keepWriting(part, index < 4)));
}

process.stdin.on("end", () => {
  ending = true;
});
process.stdin.resume();
const talk = setInterval(() => say(), 500);
try {
  await (mode === "direct" ? direct() : files());
} catch (error) {
  say(error instanceof Error && "code" in error ? String(error.code) : String(error));
  process.exit(1);
}
clearInterval(talk);
say();
