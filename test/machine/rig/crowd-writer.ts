import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/*
 * A program: appends numbered records to each file of its arguments, all at once, each record flushed before the
 * next of the same file. A record bears the number of its file too. Says how far it is in lines of JSON; ends when
 * its input ends. Started with as many threads as files, for a write that waits keeps one.
 */
const paths = process.argv.slice(2);
const flushed = paths.map(() => 0);
const errors = new Set<string>();
let ending = false;

function say(): void {
  process.stdout.write(`${JSON.stringify({ flushed, errors: [...errors] })}\n`);
}

async function append(path: string, index: number): Promise<void> {
  await using file = await open(path, "a");
  while (!ending) {
    const count = flushed[index] ?? 0;
    await file.write(`${String(index).padStart(3, "0")} ${String(count).padStart(11, "0")}\n`);
    await file.sync();
    flushed[index] = count + 1;
    // Many files and one emulated processor: each has its turn.
    await delay(1_500);
  }
}

process.stdin.on("end", () => {
  ending = true;
});
process.stdin.resume();
const talk = setInterval(say, 250);
await Promise.all(
  paths.map((path, index) =>
    append(path, index).catch((error: unknown) => errors.add(`${path}: ${String(error)}`)),
  ),
);
clearInterval(talk);
say();
