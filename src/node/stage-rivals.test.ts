import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { MountRequest } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { MemoryHostPaths } from "#test/fakes/node/memory-host-paths.ts";
import { MemoryMounts } from "#test/fakes/node/memory-mounts.ts";
import {
  type AttachedVolume,
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";

/** Two volumes with data; `swap` gives the name and number of the first one's device to the second. */
function rivals() {
  const world = new NodeWorld();
  const [volume, other] = [world.attach("pvc-1"), world.attach("pvc-2")];
  for (const { disk } of [volume, other]) disk.format("ext4");
  const swap = () => {
    world.kernel.drop(volume.nqn);
    world.kernel.connect(other.nqn);
    world.kernel.connect(volume.nqn);
  };
  return { world, volume, other, swap };
}

function recordOf(world: NodeWorld, volume: AttachedVolume, use = mountUse()) {
  const { minSizeBytes: _size, ...record } = world.stageRequest(volume, use);
  return record;
}

class LatePaths extends MemoryHostPaths {
  before: () => void = () => {};
  override async ensureDirectory(path: string, ctx: Context): Promise<void> {
    await super.ensureDirectory(path, ctx);
    this.before();
  }
}

test("stage() does not mount when the device's name belongs to another volume by then (pitfall 4)", async () => {
  const { world, volume, other, swap } = rivals();
  other.disk.isJournalDirty = true;
  const paths = new LatePaths(world.kernel);
  paths.before = swap;
  const mounts = new MemoryMounts(world.kernel, paths);
  const host = { ...world.host, paths, mounts };
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), { kind: "unavailable" });
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(other.disk.isJournalDirty, true, "the other volume was not even mounted");
});

class LateMounts extends MemoryMounts {
  before: () => void = () => {};
  fails = false;
  override async mount(request: MountRequest, ctx: Context): Promise<void> {
    this.before();
    if (this.fails) throw new DriverError("internal", "Cannot mount: bad superblock");
    await super.mount(request, ctx);
  }
}

test("stage() takes back a mount that turned out to be another volume's (pitfall 4)", async () => {
  const { world, volume, swap } = rivals();
  const mounts = new LateMounts(world.kernel, world.paths);
  mounts.before = swap;
  const host = { ...world.host, mounts };
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), { kind: "unavailable" });
  assert.deepEqual(world.kernel.mounts, []);
  assert.notEqual(world.records.volumes.get("pvc-1")?.phase, "staged");
});

test("stage() does not check a device whose name belongs to another volume by then (pitfall 4)", async () => {
  const { world, volume, swap } = rivals();
  const mounts = new LateMounts(world.kernel, world.paths);
  mounts.before = swap;
  mounts.fails = true;
  const host = { ...world.host, mounts };
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), { kind: "unavailable" });
  assert.deepEqual(world.filesystems.checked, []);
});

test("stage() does not format again when only the mount after it failed", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const mounts = new LateMounts(world.kernel, world.paths);
  mounts.fails = true;
  const host = { ...world.host, mounts };
  await assert.rejects(stage(world.stageRequest(volume), host, world.ctx), { kind: "internal" });
  mounts.fails = false;
  await stage(world.stageRequest(volume), host, world.ctx);
  assert.equal(volume.disk.formats, 1);
});

test("stage() takes back what an attempt that was cut short has left", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("xfs");
  world.kernel.connect(volume.nqn);
  world.records.volumes.set("pvc-1", { ...recordOf(world, volume), phase: "connecting" });
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
  });
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
});

test("stage() does not disconnect a device that somebody has mounted meanwhile (pitfall 2)", async () => {
  const { world, volume } = rivals();
  world.kernel.connect(volume.nqn);
  await world.paths.ensureDirectory("/mnt", world.ctx);
  const byHand = { source: "/dev/nvme0n1", target: "/mnt", fsType: "ext4", options: [] };
  await world.mounts.mount(byHand, world.ctx);
  const record = recordOf(world, volume, blockUse());
  world.records.volumes.set("pvc-1", { ...record, phase: "connecting" });
  await assert.rejects(stage(world.stageRequest(volume, blockUse()), world.host, world.ctx), {
    kind: "failed-precondition",
    message: 'Cannot stage volume "pvc-1" on "/dev/nvme0n1" (259:0): it is still mounted at "/mnt"',
  });
  assert.equal(world.kernel.controllers.size, 1);
  assert.deepEqual(world.kernel.damage, []);
});

test("stage() that fails leaves the connection of a volume that is staged already (pitfall 2)", async () => {
  const { world, volume } = rivals();
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  world.kernel.drop(volume.nqn);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
  });
  assert.equal(world.kernel.controllers.get(volume.nqn)?.state, "live");
  assert.equal(world.kernel.mounts.length, 2);
});

test("stage() does not adopt a mount of another type, or one that may not be written", async () => {
  for (const [staged, wanted] of [
    [mountUse("single-node-writer", "ext3"), mountUse("single-node-writer", "ext4")],
    [mountUse("single-node-reader-only"), mountUse()],
    [mountUse(), mountUse("single-node-reader-only")],
  ] as const) {
    const world = new NodeWorld();
    const volume = world.attach("pvc-1");
    if (staged.access.type === "mount") volume.disk.format(staged.access.fsType);
    await stage(world.stageRequest(volume, staged), world.host, world.ctx);
    world.records.volumes.clear();
    await assert.rejects(stage(world.stageRequest(volume, wanted), world.host, world.ctx), {
      kind: "already-exists",
    });
    assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
    assert.equal(world.kernel.controllers.size, 1);
  }
});
