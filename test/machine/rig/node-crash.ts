import { readFileSync } from "node:fs";
import type { Cluster } from "./cluster.ts";
import { waitFor } from "./wait-for.ts";
import { sh } from "./world.ts";
import type { Writer } from "./writer.ts";

/**
 * What a node that loses its power forgets: its processes, connections, holds and mounts, and what stands in /run.
 * Connections go first, so that nothing of what waits in the node's memory is written any more.
 * @param writers - Which the caller has killed: they end once nothing waits, and keep their file system until then.
 */
export async function crashNode(cluster: Cluster, ...writers: readonly Writer[]): Promise<void> {
  await cluster.node().kill();
  const holds = "dmsetup ls --target multipath | grep -o '^rds-csi-[^\t ]*'";
  sh(
    `for hold in $(${holds}); do dmsetup message $hold 0 fail_if_no_path; done; nvme disconnect-all`,
  );
  for (const { target } of cluster.mounts().toReversed()) sh(`umount -l '${target}'`);
  for (const writer of writers) await writer.ended();
  sh(`for hold in $(${holds}); do dmsetup remove --retry $hold; done`);
  sh("rm -f /run/udev/rules.d/*");
}

/** Waits for so many lines of the plugin's log with this message, since its start. */
export async function logged(
  cluster: Cluster,
  message: string,
  count = 1,
): Promise<Record<string, unknown>[]> {
  return waitFor(`the plugin says ${count} times "${message}"`, () => {
    const lines = readFileSync(cluster.node().logFile, "utf8").split("\n").slice(0, -1);
    const found = lines.filter((line) => line.includes(`"message":"${message}"`));
    return found.length < count ? undefined : found.map((line) => JSON.parse(line));
  });
}
