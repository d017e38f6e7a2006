import { appendFileSync } from "node:fs";
import type { Pause } from "../results.ts";

/** For the table of pauses that `make machine` ends with; told when the file is over, and no outage has the kernel write between. */
export function tellPause(pause: Pause): void {
  appendFileSync("/run/pauses", `${JSON.stringify(pause)}\n`);
}
