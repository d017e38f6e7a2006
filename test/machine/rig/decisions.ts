import { readFileSync } from "node:fs";
import type { Cluster } from "./cluster.ts";

/** How often the watch of `node-a` has decided on a step, such as `reset`, by its log. */
export function decisions(cluster: Cluster, step: string): number {
  const log = readFileSync(cluster.node().logFile, "utf8");
  return log.split("\n").filter((line) => line.includes(`"do":"${step}"`)).length;
}
