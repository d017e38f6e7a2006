import assert from "node:assert/strict";
import { test } from "node:test";
import { accessModes } from "#domain/access-mode.ts";
import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from "./gen/csi.ts";
import { volumeUseFrom } from "./volume-use.ts";

const mount = { fsType: "", mountFlags: [], volumeMountGroup: "" };

function refused(capability: VolumeCapability | undefined, message: RegExp) {
  assert.throws(() => volumeUseFrom(capability), { kind: "invalid-argument", message });
}

test("volumeUseFrom() knows all six access modes for raw block", () => {
  const numbers = [1, 2, 3, 5, 6, 7] as const;
  const uses = numbers.map((mode) => volumeUseFrom({ block: {}, accessMode: { mode } }).accessMode);
  assert.deepEqual(uses.toSorted(), Object.keys(accessModes).toSorted());
});

test("volumeUseFrom() takes ext4 when no file system is named", () => {
  const accessMode = { mode: Mode.SINGLE_NODE_WRITER };
  const flagged = { ...mount, mountFlags: ["noatime"] };
  assert.deepEqual(volumeUseFrom({ mount: flagged, accessMode }), {
    accessMode: "single-node-writer",
    access: { type: "mount", fsType: "ext4", mountFlags: ["noatime"] },
  });
});

test("volumeUseFrom() takes ext4, xfs, ext3 and btrfs and no other file system", () => {
  const accessMode = { mode: Mode.SINGLE_NODE_WRITER };
  for (const fsType of ["ext4", "xfs", "ext3", "btrfs"])
    assert.partialDeepStrictEqual(volumeUseFrom({ mount: { ...mount, fsType }, accessMode }), {
      access: { fsType },
    });
  refused(
    { mount: { ...mount, fsType: "ntfs" }, accessMode },
    /"ntfs" is not supported, only ext4/,
  );
});

test("volumeUseFrom() refuses a file system that two nodes would write", () => {
  refused(
    { mount, accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER } },
    /MULTI_NODE_MULTI_WRITER is for raw block volumes only/,
  );
});

test("volumeUseFrom() refuses unknown modes by their name or number", () => {
  refused({ block: {}, accessMode: undefined }, /access mode UNKNOWN is not supported/);
  refused({ block: {}, accessMode: { mode: Mode.UNKNOWN } }, /access mode UNKNOWN/);
  refused({ block: {}, accessMode: { mode: 4 } }, /access mode MULTI_NODE_SINGLE_WRITER/);
  refused({ block: {}, accessMode: { mode: 99 as Mode } }, /access mode 99/);
});

test("volumeUseFrom() refuses a capability without, or with two, access types", () => {
  const accessMode = { mode: Mode.SINGLE_NODE_WRITER };
  refused({ accessMode }, /either block or mount/);
  refused({ block: {}, mount, accessMode }, /either block or mount/);
  refused(undefined, /missing/);
});
