import type { Pause } from "../results.ts";

/** For the table of pauses that `make machine` ends with. */
export function tellPause(pause: Pause): void {
  process.stdout.write(`\nPAUSE ${JSON.stringify(pause)}\n`);
}
