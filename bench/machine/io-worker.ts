import { constants, openSync, readSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** What one lane does in one round: as many operations as there are offsets, one after the other. */
export interface Round {
  readonly path: string;
  readonly write: boolean;
  readonly bytes: number;
  readonly offsets: readonly number[];
}

/** When a lane began and ended, in ms of the machine's monotonic clock, and how long each operation took. */
export interface Lap {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly latencies: readonly number[];
}

/** The types of Node.js leave its constructors out. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

/** Aligned to pages, which direct I/O asks for and a Buffer is not. */
const memory = new Uint8Array(new WebAssembly.Memory({ initial: workerData.pages }).buffer);
const files = new Map<string, number>();

function fileOf(path: string): number {
  const known = files.get(path);
  if (known !== undefined) return known;
  const fd = openSync(path, constants.O_RDWR | constants.O_DIRECT);
  files.set(path, fd);
  return fd;
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function run({ path, write, bytes, offsets }: Round): Lap {
  const fd = fileOf(path);
  const latencies = [];
  const startedAt = now();
  for (const offset of offsets) {
    const before = performance.now();
    const done = write
      ? writeSync(fd, memory, 0, bytes, offset)
      : readSync(fd, memory, 0, bytes, offset);
    latencies.push(performance.now() - before);
    if (done !== bytes) throw new Error(`Cannot use "${path}": ${done} of ${bytes} bytes moved`);
  }
  return { startedAt, endedAt: now(), latencies };
}

parentPort?.on("message", (round: Round) => parentPort?.postMessage(run(round)));
