import assert from "node:assert/strict";
import test from "node:test";
import type { Mount } from "#domain/ports/mounts.ts";
import { passingFsType } from "./check-state.ts";

function mount(target: string, fsType: string): Mount {
  return {
    target,
    fsType,
    root: "/",
    majorMinor: "0:1",
    source: "x",
    options: [],
    superOptions: [],
  };
}

const container = [
  mount("/", "overlay"),
  mount("/var/lib/kubelet", "ext4"),
  mount("/var/lib/kubelet/plugins/other", "tmpfs"),
  mount("/run", "tmpfs"),
];

for (const [folder, fsType] of [
  ["/var/lib/kubelet/plugins/rds.csi.srvlab.io", undefined],
  ["/var/lib/kubelet", undefined],
  ["/var/lib/kubelet/plugins/other/state", "tmpfs"],
  ["/var/lib/kubelet-state", "overlay"],
  ["/run/state", "tmpfs"],
] as const)
  test(`passingFsType() of ${folder} is ${fsType}`, () => {
    assert.equal(passingFsType(folder, container), fsType);
  });

test("passingFsType() goes by the topmost of several mounts", () => {
  const stacked = [...container, mount("/run", "xfs")];
  assert.equal(passingFsType("/run/state", stacked), undefined);
});
