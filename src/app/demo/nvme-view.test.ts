import assert from "node:assert/strict";
import { test } from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { heldNqns, viewOf } from "./nvme-view.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcd1234" as Nqn;

test("viewOf() follows a volume from its hold to the state of its controllers", () => {
  using tree = new SysfsTree();
  tree.attributes("block/dm-0/dm", { uuid: "LVM-x" });
  tree.attributes("block/dm-1", { dev: "253:1", size: 2_097_152 });
  tree.attributes("block/dm-1/dm", { uuid: `rds-csi-${nqn}` });
  tree.attributes("block/nvme0n2", { dev: "259:3", size: 2_097_152, uuid: "5f1c6a1e" });
  tree.link("block/dm-1/slaves/nvme0n2", "block/nvme0n2");
  tree.attributes("class/nvme/nvme4", { subsysnqn: nqn, state: "live" });
  assert.deepEqual(viewOf(nqn, tree.sysfs), {
    device: "nvme0n2 (259:3, 1 GiB)",
    isLive: true,
    text: 'dm-1 (253:1, 1 GiB) lies on nvme0n2 (259:3, 1 GiB), identity 5f1c6a1e\nnvme4 is "live"',
  });
  assert.deepEqual(heldNqns(tree.sysfs), [nqn]);
  tree.attributes("class/nvme/nvme4", { state: "connecting" });
  tree.remove("block/nvme0n2");
  assert.deepEqual(viewOf(nqn, tree.sysfs), {
    device: undefined,
    isLive: false,
    text: 'dm-1 (253:1, 1 GiB) lies on a device that is gone\nnvme4 is "connecting"',
  });
});
