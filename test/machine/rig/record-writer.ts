import { fsyncSync, openSync, writeSync } from "node:fs";

/*
 * A program: appends numbered records to the file of its first argument, each flushed before the next. Says how far it is in lines of JSON; ends by itself on the first error, or when its input ends.
 */
const [path = ""] = process.argv.slice(2);
const fd = openSync(path, "a");
let flushed = 0;
let longestMs = 0;
let ending = false;
let lastSaid = 0;

function say(error?: string): void {
  lastSaid = Date.now();
  process.stdout.write(`${JSON.stringify({ flushed, longestMs, error })}\n`);
}

function step(): void {
  const started = Date.now();
  try {
    writeSync(fd, `${String(flushed).padStart(15, "0")}\n`);
    fsyncSync(fd);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    say(code);
    process.exit(1);
  }
  flushed += 1;
  longestMs = Math.max(longestMs, Date.now() - started);
  if (ending || Date.now() - lastSaid > 100) say();
  // The pause lets the end of the input be seen, and leaves most of an emulated processor to the driver.
  if (!ending) setTimeout(step, 150);
}

say();
process.stdin.on("end", () => {
  ending = true;
});
process.stdin.resume();
step();
