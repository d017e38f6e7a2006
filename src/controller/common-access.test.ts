import assert from "node:assert/strict";
import { test } from "node:test";
import type { FsType, VolumeUse } from "#domain/access-mode.ts";
import { commonAccess } from "./common-access.ts";

const block: VolumeUse = { accessMode: "single-node-writer", access: { type: "block" } };
function mount(fsType: FsType, ...mountFlags: string[]): VolumeUse {
  return { accessMode: "single-node-writer", access: { type: "mount", fsType, mountFlags } };
}

test("commonAccess() is what all uses share, whatever their modes and mount flags", () => {
  const reader: VolumeUse = { ...block, accessMode: "multi-node-reader-only" };
  assert.deepEqual(commonAccess([block, reader]), { type: "block" });
  assert.deepEqual(commonAccess([mount("xfs"), mount("xfs", "noatime")]), mount("xfs").access);
});

test("commonAccess() refuses uses that exclude each other, and none at all", () => {
  assert.throws(() => commonAccess([block, mount("ext4")]), {
    kind: "invalid-argument",
    message: /both a raw block device and a file system of type ext4/,
  });
  assert.throws(() => commonAccess([mount("ext4"), mount("xfs")]), { kind: "invalid-argument" });
  assert.throws(() => commonAccess([]), { kind: "invalid-argument", message: /is empty/ });
});
