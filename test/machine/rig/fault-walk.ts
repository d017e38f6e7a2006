import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Cluster } from "./cluster.ts";
import { hasStrictLimit } from "./kernel.ts";
import { retry } from "./retry.ts";

const plan = "/run/fault-plan";
const journal = "/run/fault-journal";

/** Effects that are one call of the kernel, and so have no middle. */
const calls = /^(mkdir|create|rename|rm|rmdir|unlink|write .*)$/;

/** How many points each walk has at least. One that has fewer has lost them, or an effect is gone from the driver. */
export const leastPoints = {
  "staging a blank ext4 volume": 7,
  "staging a blank xfs volume": 2,
  "staging a volume with data": 19,
  "staging a copy": 7,
  "publishing, unpublishing and unstaging: ext4": 22,
  "publishing, unpublishing and unstaging: block": 20,
  "growing a volume": 7,
} as const;

export interface FaultPoint {
  readonly index: number;
  readonly moment: "before" | "amid" | "after";
  /** Of the effect: `mount`, `dd nvme-fabrics`, `rename`, … */
  readonly effect: string;
}

/**
 * The points of a call of kubelet, at each of which the plugin can be killed: before each effect, which is the same
 * as after the one before it; while a process that it has started goes on; and after the last.
 */
export async function pointsOf(call: () => Promise<unknown>): Promise<FaultPoint[]> {
  const { told } = await planned("none", call);
  const effects = told.map((line) => line.slice(line.indexOf(" ") + 1));
  assert.ok(effects.length > 0, "the call has effects");
  const points = effects.flatMap((effect, index): FaultPoint[] => [
    { index, moment: "before", effect },
    ...(calls.test(effect) ? [] : [{ index, moment: "amid", effect } as const]),
  ]);
  const index = effects.length - 1;
  return [...points, { index, moment: "after", effect: effects[index] ?? "" }];
}

/** Kills the plugin of `node-a` at the point of this call, starts it anew, and repeats the call as kubelet does. */
export async function killedAt(
  { index, moment, effect }: FaultPoint,
  cluster: Cluster,
  call: () => Promise<unknown>,
): Promise<void> {
  const node = cluster.node();
  const { told } = await planned(`${index} ${moment}`, () => call().catch(() => undefined));
  assert.equal(told.at(-1), `struck ${index} ${moment}`);
  assert.equal(told.at(-2), `${index} ${effect}`);
  await node.kill();
  await node.start();
  await retry(`the call that was killed ${moment} "${effect}"`, call);
}

/** @returns what the call did, line by line. */
async function planned(text: string, call: () => Promise<unknown>) {
  rmSync(journal, { force: true });
  writeFileSync(plan, text);
  try {
    await call();
  } finally {
    rmSync(plan);
  }
  const told = existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n") : [];
  return { told };
}

/** A new hold sets it. */
function missingOf(call: keyof typeof leastPoints): number {
  return !hasStrictLimit && call === "staging a volume with data" ? 1 : 0;
}

/** Says what was played, after it was. @throws {AssertionError} when points got lost. */
export function tellPoints(call: keyof typeof leastPoints, points: readonly FaultPoint[]): void {
  const names = points.map(({ moment, effect }) => `${moment} ${effect}`);
  process.stdout.write(`${points.length} points of ${call}: ${names.join(", ")}\n`);
  const known = leastPoints[call] - missingOf(call);
  assert.ok(points.length >= known, `${known} points are known`);
}
