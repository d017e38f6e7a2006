import assert from "node:assert/strict";
import type { Cluster } from "./cluster.ts";
import { UsedVolume } from "./used-volume.ts";
import { waitFor } from "./wait-for.ts";

/** What happens to a target, to all of its volumes at once. */
export interface Outage {
  /** For the table of pauses: `silent loss`. */
  readonly what: string;
  readonly begin: () => unknown;
  /** What must be seen of each volume before the target comes back. Default: its connection is lost. */
  readonly until?: (used: UsedVolume) => boolean;
  readonly end: () => unknown;
  /** Whether each hold lies on a device with another number afterwards. Default: that is left to the kernel. */
  readonly renumbers?: boolean;
}

/** Volumes go through an outage side by side: their writers wait, and go on after it. Tells the pause of each. */
export async function rideOut(
  volumes: readonly UsedVolume[],
  { what, begin, until = (used) => !used.isLive(), end, renumbers }: Outage,
): Promise<void> {
  const before = renumbers === undefined ? [] : volumes.map((used) => used.under());
  for (const used of volumes) used.noteLoss();
  await begin();
  for (const used of volumes) await waitFor(`${what}: ${used.nqn}`, () => until(used));
  await Promise.all(volumes.map(({ writer }) => writer.stalls()));
  for (const used of volumes) used.noteReturn();
  await end();
  await Promise.all(volumes.map((used) => used.goesOn(what)));
  // Until the kernel has seen the new identity, the old device goes on.
  if (renumbers === true)
    for (const [index, used] of volumes.entries()) {
      await waitFor(
        `${what}: ${used.content} lies on another device`,
        () => used.under() !== before[index],
      );
      await used.writer.progress();
    }
  // A number is not given away while a hold lies on it; it may be in a later outage.
  for (const [index, used] of volumes.entries())
    if (renumbers !== undefined)
      assert.equal(used.under() !== before[index], renumbers, `${what}: ${used.content}`);
}

/** Connections break, and are refused. */
export function interruptAll(volumes: readonly UsedVolume[]): void {
  for (const { cluster, nqn } of volumes) cluster.fabric.interrupt(nqn);
}

export function resumeAll(volumes: readonly UsedVolume[]): void {
  for (const { cluster, nqn } of volumes) cluster.fabric.resume(nqn);
}

/**
 * Runs with a volume of each kind in use: what happens to the target happens to all of them at once. Afterwards
 * none has lost anything, and nothing is left of them.
 */
export async function withEachKind(
  cluster: Cluster,
  parameters: Record<string, string> | undefined,
  run: (volumes: readonly UsedVolume[]) => Promise<void>,
): Promise<void> {
  using ext4 = await UsedVolume.start(cluster, "ext4", parameters);
  using xfs = await UsedVolume.start(cluster, "xfs", parameters);
  using block = await UsedVolume.start(cluster, "block", parameters);
  await run([ext4, xfs, block]);
  for (const used of [ext4, xfs, block]) await used.finish();
  cluster.assertNothingLeft();
}
