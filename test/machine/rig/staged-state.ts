import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Cluster } from "./cluster.ts";
import { type ClusterVolume, isBlock } from "./cluster-volume.ts";
import type { PublishContext } from "./kubelet.ts";

/** One mount, of the hold; one hold, on the one device; one live controller; a record that says so. */
export function assertStaged(
  cluster: Cluster,
  volume: ClusterVolume,
  { nqn = "" }: PublishContext,
): void {
  const node = cluster.node();
  assert.deepEqual(cluster.controllers(nqn), ["live"]);
  assert.deepEqual(cluster.holds(), [`rds-csi-${nqn}`]);
  const [devices] = cluster.sysfs.list("block").filter((name) => /^dm-/.test(name));
  const number = cluster.sysfs.read("block", devices ?? "", "dev");
  const staged = cluster.mounts().filter(({ target }) => target === node.stagingPath(volume));
  assert.deepEqual(
    staged.map(({ majorMinor }) => majorMinor),
    isBlock(volume) ? [] : [number],
  );
  // What a killed writer of the record has left goes with the record.
  const records = node.records().filter((name) => name.endsWith(".json"));
  const [record = ""] = records;
  assert.equal(records.length, 1);
  const { phase } = JSON.parse(readFileSync(`${node.stateFolder}/volumes/${record}`, "utf8"));
  assert.equal(phase, "staged");
}

/** Neither mount nor hold nor connection nor record. */
export function assertGone(cluster: Cluster): void {
  assert.deepEqual(cluster.mounts(), []);
  assert.deepEqual(cluster.holds(), []);
  assert.deepEqual(cluster.sysfs.list("class", "nvme"), []);
  assert.deepEqual(cluster.node().records(), []);
}
