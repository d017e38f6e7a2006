import assert from "node:assert/strict";
import test from "node:test";
import type { FsType } from "#domain/access-mode.ts";
import { GiB } from "#lib/bytes.ts";
import { mountUse, NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

const reader = "multi-node-reader-only";

/** A volume in use, and a copy of it that is larger. */
function rig(fsType: FsType) {
  const world = new NodeWorld();
  const source = world.attach("pvc-source");
  source.disk.format(fsType);
  source.disk.files.set("precious", "data");
  const copy = world.attachCopy("pvc-copy", source, 2 * GiB);
  const use = mountUse("single-node-writer", fsType);
  const stageAs = (volume: typeof source, as = use) =>
    stage(world.stageRequest(volume, as), world.host, world.ctx);
  const leave = ({ volumeId }: typeof source) =>
    unstage({ volumeId, stagingPath: stagingPathOf({ volumeId }) }, world.host, world.ctx);
  return { world, source, copy, stageAs, leave };
}

for (const fsType of ["ext4", "xfs", "btrfs"] as const)
  test(`stage() mounts a copy beside its source, in any order, and grows it (${fsType})`, async () => {
    for (const isSourceFirst of [true, false]) {
      const { world, source, copy, stageAs } = rig(fsType);
      const volumes = isSourceFirst ? [source, copy] : [copy, source];
      for (const volume of volumes) await stageAs(volume);
      for (const volume of volumes) await stageAs(volume);
      for (const volume of volumes) assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
      assert.equal(copy.disk.isJournalDirty, false, "it was replayed");
      assert.equal(copy.disk.filesystemBytes, 2 * GiB);
      assert.equal(copy.disk.files.get("precious"), "data");
      assert.equal(world.records.volumes.get("pvc-copy")?.source, "pvc-source");
      assert.deepEqual(world.filesystems.checked, []);
    }
  });

test("stage() checks a copy that cannot be mounted, also beside its source, and mounts it as a copy", async () => {
  const { world, source, copy, stageAs } = rig("xfs");
  await stageAs(source);
  copy.disk.isDamaged = true;
  await stageAs(copy);
  assert.deepEqual(world.filesystems.checked, ["/dev/nvme1n1"]);
  assert.deepEqual(world.topmost(stagingPathOf(copy))?.superOptions, ["rw", "nouuid"]);
});

test("stage() says which volume is in the way of a Btrfs with its UUID, and repairs neither", async () => {
  for (const isSourceFirst of [true, false]) {
    const { world, source, copy, stageAs, leave } = rig("btrfs");
    const [first, second] = isSourceFirst ? [source, copy] : [copy, source];
    world.kernel.refusesBtrfsTwins = true;
    await stageAs(first);
    await assert.rejects(stageAs(second), {
      kind: "failed-precondition",
      message: `Cannot mount volume "${second.volumeId}" beside volume "${first.volumeId}" on one node: their file systems have the same UUID, "uuid-1" (for copies, Btrfs needs Linux 6.7 or later): Cannot mount "/dev/nvme1n1" on "${stagingPathOf(second)}": File exists`,
    });
    assert.deepEqual(world.filesystems.checked, []);
    assert.equal(world.kernel.controllers.size, 1, "what it did is taken back");
    await leave(first);
    await stageAs(second);
  }
});

test("stage() does not check an XFS that somebody has copied by hand: its source is in the way", async () => {
  const { world, source, copy, stageAs } = rig("xfs");
  const { source: _unknown, ...byHand } = copy;
  await stageAs(source);
  await assert.rejects(stageAs(byHand), {
    kind: "failed-precondition",
    message: /^Cannot mount volume "pvc-copy" beside volume "pvc-source" on one node: /,
  });
  assert.deepEqual(world.filesystems.checked, []);
});

test("stage() does not blame a copy for a damage of its source", async () => {
  const { world, source, copy, stageAs } = rig("xfs");
  await stageAs(copy);
  source.disk.isDamaged = true;
  await stageAs(source);
  assert.deepEqual(world.filesystems.checked, ["/dev/nvme1n1"]);
});

test("stage() shows readers no copy whose journal is not replayed, and writes nothing", async () => {
  for (const fsType of ["ext4", "xfs", "btrfs"] as const) {
    const { world, copy, stageAs, leave } = rig(fsType);
    await assert.rejects(stageAs(copy, mountUse(reader, fsType)), {
      kind: "failed-precondition",
      message: `Cannot mount volume "pvc-copy" for reading only: Cannot mount "/dev/nvme0n1" on "${stagingPathOf(copy)}": cannot replay the journal (if "pvc-source", which it was copied from, was in use, its journal must be replayed: stage it once with an access mode that writes)`,
    });
    assert.equal(copy.disk.isJournalDirty, true);
    assert.deepEqual(world.kernel.mounts, []);
    await stageAs(copy);
    await leave(copy);
    await stageAs(copy, mountUse(reader, fsType));
    assert.equal(world.mountsAt(stagingPathOf(copy)).length, 1);
  }
});
