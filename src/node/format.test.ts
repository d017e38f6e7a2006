import assert from "node:assert/strict";
import test from "node:test";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { MemoryStageRecords } from "#test/fakes/node/memory-stage-records.ts";
import { mountUse, NodeWorld } from "#test/fakes/node/node-world.ts";
import { stage } from "./stage.ts";

test("stage() refuses a device whose content cannot be read, rather than call it blank (pitfall 3)", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("ext4");
  volume.disk.files.set("precious", "data");
  const { filesystems } = world;
  const inspect = filesystems.inspect.bind(filesystems);
  filesystems.inspect = async (path, ctx) => {
    world.kernel.lose(volume.nqn);
    return await inspect(path, ctx);
  };
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "unavailable",
  });
  assert.equal(volume.disk.formats, 1);
  assert.equal(volume.disk.files.get("precious"), "data");
});

test("stage() refuses content that is no file system, or one of another type, naming both", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("xfs");
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot mount volume "pvc-1" as ext4: "/dev/nvme0n1" holds a file system of type "xfs"`,
  });
  volume.disk.content = { kind: "other", description: "a GPT partition table" };
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot mount volume "pvc-1" as ext4: "/dev/nvme0n1" holds a GPT partition table`,
  });
  assert.equal(volume.disk.formats, 1);
  assert.equal(world.kernel.controllers.size, 0, "its own connection is taken back");
  assert.equal(world.records.volumes.size, 0);
});

/** Gives the device's name to another volume while the marker is written. */
class SwappingRecords extends MemoryStageRecords {
  swap: (() => void) | undefined;
  override async save(record: StagedVolume, ctx: Context): Promise<void> {
    await super.save(record, ctx);
    if (record.phase === "formatting") this.swap?.();
    if (record.phase === "formatting") this.swap = undefined;
  }
}

test("stage() does not format when the device's name belongs to another volume by then (pitfall 4)", async () => {
  const world = new NodeWorld();
  const blank = world.attach("pvc-blank");
  const other = world.attach("pvc-other");
  other.disk.format("ext4");
  other.disk.files.set("precious", "data");
  const records = new SwappingRecords();
  const host = { ...world.host, records };
  records.swap = () => {
    world.kernel.drop(blank.nqn);
    world.kernel.connect(other.nqn);
    world.kernel.connect(blank.nqn);
  };
  await assert.rejects(stage(world.stageRequest(blank), host, world.ctx), {
    kind: "unavailable",
    message: `Cannot use "/dev/nvme0n1" (259:0): "${blank.nqn}" is "/dev/nvme1n1" (259:1) now`,
  });
  assert.equal(other.disk.files.get("precious"), "data");
  await stage(world.stageRequest(blank), host, world.ctx);
  assert.equal(blank.disk.formats, 1);
  assert.equal(other.disk.formats, 1);
});

test("stage() does not take a volume for blank because its name led to a blank one (pitfall 4)", async () => {
  const world = new NodeWorld();
  const full = world.attach("pvc-full");
  full.disk.format("ext4");
  full.disk.files.set("precious", "data");
  const other = world.attach("pvc-blank");
  const { filesystems, kernel } = world;
  const inspect = filesystems.inspect.bind(filesystems);
  filesystems.inspect = async (path, ctx) => {
    filesystems.inspect = inspect;
    kernel.drop(full.nqn);
    kernel.connect(other.nqn);
    kernel.connect(full.nqn);
    return await inspect(path, ctx);
  };
  const request = world.stageRequest(full);
  await assert.rejects(stage(request, world.host, world.ctx), { kind: "unavailable" });
  await stage(request, world.host, world.ctx);
  assert.deepEqual([full.disk.formats, full.disk.files.get("precious")], [1, "data"]);
  assert.equal(other.disk.formats, 0);
});

test("stage() never formats or repairs for a mode that only reads", async () => {
  for (const mode of ["single-node-reader-only", "multi-node-reader-only"] as const) {
    const world = new NodeWorld();
    const volume = world.attach("pvc-1");
    const request = world.stageRequest(volume, mountUse(mode));
    await assert.rejects(stage(request, world.host, world.ctx), {
      kind: "failed-precondition",
      message: `Cannot format volume "pvc-1" on "/dev/nvme0n1": it is blank, and access mode "${mode}" only reads`,
    });
    volume.disk.format("ext4");
    volume.disk.isDamaged = true;
    await assert.rejects(stage(request, world.host, world.ctx), { kind: "internal" });
    assert.deepEqual(world.filesystems.checked, []);
    assert.equal(volume.disk.formats, 1);
  }
});

test("stage() formats again what its own mkfs left half made, also as another file system or at another path", async () => {
  for (const change of [
    { use: mountUse("single-node-writer", "xfs") },
    { stagingPath: "/other" },
  ]) {
    const world = new NodeWorld();
    const volume = world.attach("pvc-1");
    world.filesystems.onHalfMade = () => {
      world.filesystems.onHalfMade = () => {};
      throw new Error("killed");
    };
    const request = world.stageRequest(volume);
    await assert.rejects(stage(request, world.host, world.ctx), { message: "killed" });
    await stage({ ...request, ...change }, world.host, world.ctx);
    assert.equal(volume.disk.isHalfMade, false);
    assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
  }
});

test("stage() formats again what its own mkfs left half made, under the same NQN", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  world.filesystems.onHalfMade = () => {
    world.filesystems.onHalfMade = () => {};
    throw new Error("killed");
  };
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    message: "killed",
  });
  assert.equal(volume.disk.isHalfMade, true);
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "formatting");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(volume.disk.isHalfMade, false);
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
});

test("stage() does not format by a marker that names another NQN", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume);
  const { minSizeBytes: _size, ...wanted } = request;
  world.records.volumes.set("pvc-1", { ...wanted, phase: "formatting" });
  world.moveAway(volume);
  volume.disk.format("ext4");
  volume.disk.files.set("precious", "written by another node");
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(volume.disk.files.get("precious"), "written by another node");
  assert.equal(volume.disk.formats, 1);
});

test("stage() does not format a volume that was staged with data before and is blank now", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  world.kernel.reboot();
  volume.disk.content = { kind: "blank" };
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message:
      'Cannot format volume "pvc-1" on "/dev/nvme0n1": it is blank, but was staged with data before',
  });
  assert.equal(volume.disk.formats, 1);
});

test("stage() does not format a device that is held or mounted elsewhere", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  world.kernel.holders.set("259:0", ["dm-3"]);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "unavailable",
    message: `Cannot stage volume "pvc-1" on "/dev/nvme0n1" (259:0): "/dev/nvme0n1" is held by "dm-3"`,
  });
  assert.equal(volume.disk.content.kind, "blank");
});
