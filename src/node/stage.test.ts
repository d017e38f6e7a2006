import assert from "node:assert/strict";
import test from "node:test";
import type { StagedVolume } from "#domain/staged-volume.ts";
import { GiB } from "#lib/bytes.ts";
import type { Context } from "#lib/context.ts";
import { testContext } from "#test/fakes/context.ts";
import { MemoryStageRecords } from "#test/fakes/node/memory-stage-records.ts";
import {
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unpublish } from "./unpublish.ts";
import { unstage } from "./unstage.ts";

test("stage() connects, formats and mounts a blank volume, and remembers it", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const [mount, ...others] = world.mountsAt(stagingPathOf(volume));
  assert.deepEqual(others, []);
  assert.equal(mount?.fsType, "ext4");
  assert.deepEqual(mount?.options, ["nosuid", "nodev"]);
  assert.equal(volume.disk.formats, 1);
  const record = world.records.volumes.get("pvc-1");
  assert.equal(record?.phase, "staged");
  assert.equal(record?.fsUuid, "uuid-1");
  assert.equal(record?.target.nqn, volume.nqn);
});

test("stage() mounts a file system that is there, and never formats it", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("xfs");
  volume.disk.files.set("precious", "data");
  await stage(
    world.stageRequest(volume, mountUse("single-node-writer", "xfs")),
    world.host,
    world.ctx,
  );
  assert.equal(volume.disk.formats, 1);
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.equal(world.topmost(stagingPathOf(volume))?.fsType, "xfs");
});

test("stage() repeated is success and changes nothing (pitfall 2)", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume);
  await stage(request, world.host, world.ctx);
  world.write(stagingPathOf(volume), "precious", "data");
  const mounts = await world.mounts.list(world.ctx);
  const record = world.records.volumes.get("pvc-1");
  await stage(request, world.host, world.ctx);
  assert.deepEqual(await world.mounts.list(world.ctx), mounts);
  assert.equal(world.records.volumes.get("pvc-1"), record, "not even written again");
  assert.equal(volume.disk.files.get("precious"), "data");
  assert.deepEqual(world.kernel.damage, []);
});

test("stage() repeated during an outage fails and leaves mount and connection alone (pitfall 2)", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume);
  await stage(request, world.host, world.ctx);
  world.kernel.lose(volume.nqn);
  await assert.rejects(stage(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(world.kernel.controllers.get(volume.nqn)?.state, "connecting");
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  world.kernel.restore(volume.nqn, { renumbered: false });
  await stage(request, world.host, world.ctx);
  assert.deepEqual(world.kernel.damage, []);
});

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

test("stage() leaves a connection that was there before", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("xfs");
  world.kernel.connect(volume.nqn);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
  });
  assert.equal(world.kernel.controllers.get(volume.nqn)?.state, "live");
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

test("stage() asks the kernel to look again when the device is too small or missing (pitfall 23)", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  world.kernel.connect(volume.nqn);
  volume.disk.sizeBytes = 2 * GiB;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(volume.disk.filesystemBytes, 2 * GiB);

  const orphan = world.attach("pvc-2");
  world.kernel.hidesNamespaces = true;
  await stage(world.stageRequest(orphan), world.host, world.ctx);
  assert.equal(world.mountsAt(stagingPathOf(orphan)).length, 1);
});

test("stage() does not use a device that stays too small", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = { ...world.stageRequest(volume), minSizeBytes: 2 * GiB };
  await assert.rejects(stage(request, world.host, world.ctx), {
    kind: "unavailable",
    message: `Cannot use "/dev/nvme0n1" of "${volume.nqn}": it has 1 GiB (1073741824 bytes) after 5 s, expected at least 2147483648 bytes`,
  });
  assert.equal(volume.disk.content.kind, "blank");
  assert.ok(world.clock.slept < 10_000, "the wait is bounded");
});

test("stage() gives up waiting when the caller has gone", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const gone = new AbortController();
  const request = { ...world.stageRequest(volume), minSizeBytes: 2 * GiB };
  const ctx = testContext({ signal: gone.signal });
  const staging = stage(request, world.host, ctx);
  gone.abort(new Error("the caller has gone"));
  await assert.rejects(staging, { message: "the caller has gone" });
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 0);
});

test("stage() lets the kernel replay the journal, and checks only after a failed mount (pitfall 21)", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume, mountUse("single-node-writer", "xfs"));
  volume.disk.format("xfs");
  volume.disk.isJournalDirty = true;
  await stage(request, world.host, world.ctx);
  assert.deepEqual(world.filesystems.checked, []);
  assert.equal(volume.disk.isJournalDirty, false);

  world.kernel.reboot();
  volume.disk.isDamaged = true;
  await stage(request, world.host, world.ctx);
  assert.deepEqual(world.filesystems.checked, ["/dev/nvme0n1"]);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

test("stage() reads for many nodes from a read-only device and replays no journal", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("ext4");
  volume.disk.isJournalDirty = true;
  await stage(
    world.stageRequest(volume, mountUse("multi-node-reader-only")),
    world.host,
    world.ctx,
  );
  assert.equal(world.kernel.controllers.get(volume.nqn)?.device?.isReadOnly, true);
  assert.ok(world.topmost(stagingPathOf(volume))?.options.includes("ro"));
  assert.equal(volume.disk.isJournalDirty, true);
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
    message: `Cannot format volume "pvc-1": "/dev/nvme0n1" is held by "dm-3"`,
  });
  assert.equal(volume.disk.content.kind, "blank");
});

test("stage() takes down what an earlier epoch left before it uses the new one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.drop(old);
  volume.disk.files.set("precious", "written by another node");
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const [mount, ...others] = world.mountsAt(stagingPathOf(volume));
  assert.deepEqual(others, []);
  assert.equal(mount?.majorMinor, world.kernel.find(volume.nqn)?.majorMinor);
  assert.equal(world.kernel.controllers.has(old), false);
  assert.equal(world.records.volumes.get("pvc-1")?.target.nqn, volume.nqn);
  assert.equal(volume.disk.files.get("precious"), "written by another node");
});

test("stage() discards what waits for an epoch that is over, when the kernel does not give up", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.lose(old);
  world.moveBack(volume);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.deepEqual([...world.kernel.controllers.keys()], [volume.nqn]);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.ok(world.warnings.includes("Discarding unwritten data of an attachment that has ended"));
});

test("stage() refuses another epoch while a pod still has the old one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  const old = volume.nqn;
  world.moveAway(volume);
  world.kernel.drop(old);
  world.moveBack(volume);
  await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot stage volume "pvc-1" while it is here with another NQN, "${old}": Cannot unstage volume "pvc-1": it is still mounted at "${targetPathOf(volume, "pod")}"`,
  });
  assert.equal(world.records.volumes.get("pvc-1")?.target.nqn, old);
  assert.equal(world.kernel.controllers.has(volume.nqn), false);
});

test("stage() answers already-exists for another capability or path", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  for (const request of [
    world.stageRequest(volume, mountUse("single-node-writer", "xfs")),
    world.stageRequest(volume, mountUse("single-node-reader-only")),
    world.stageRequest(volume, mountUse("single-node-writer", "ext4", ["noatime"])),
    world.stageRequest(volume, blockUse()),
    { ...world.stageRequest(volume), stagingPath: "/elsewhere" },
  ])
    await assert.rejects(stage(request, world.host, world.ctx), { kind: "already-exists" });
  await stage(
    world.stageRequest(volume, mountUse("single-node-multi-writer")),
    world.host,
    world.ctx,
  );
  assert.equal(world.kernel.mounts.length, 1);
});

test("stage() adopts the right mount when the record is lost, and refuses a wrong one", async () => {
  const world = new NodeWorld();
  const [volume, other] = [world.attach("pvc-1"), world.attach("pvc-2")];
  await stage(world.stageRequest(volume), world.host, world.ctx);
  world.records.volumes.clear();
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
  assert.equal(world.kernel.mounts.length, 1);

  const request = { ...world.stageRequest(other), stagingPath: stagingPathOf(volume) };
  await assert.rejects(stage(request, world.host, world.ctx), { kind: "failed-precondition" });
  assert.equal(world.topmost(stagingPathOf(volume))?.source, "/dev/nvme0n1");
  assert.equal(other.disk.content.kind, "blank");
});

test("stage() mounts anew when the device came back with another number and no pod has the old one", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  world.kernel.restore(volume.nqn, { renumbered: true });
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  assert.equal(world.topmost(stagingPathOf(volume))?.majorMinor, "259:1");
});

test("stage() recognises Btrfs by its source, since mountinfo has no device number for it", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume, mountUse("single-node-writer", "btrfs"));
  await stage(request, world.host, world.ctx);
  assert.match(world.topmost(stagingPathOf(volume))?.majorMinor ?? "", /^0:/);
  await stage(request, world.host, world.ctx);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  const { stagingPath, volumeId } = request;
  await unstage({ volumeId, stagingPath }, world.host, world.ctx);
  assert.equal(world.kernel.mounts.length, 0);
});

test("stage() grows the file system of a clone that is larger than its origin", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("ext4");
  volume.disk.sizeBytes = 3 * GiB;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(volume.disk.filesystemBytes, 3 * GiB);
});

test("stage() connects a raw block volume and mounts nothing", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(volume.disk.content.kind, "blank");
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
});

test("stage() refuses a device whose number a pod still has from another raw block volume", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const world = new NodeWorld();
    const [gone, volume] = [world.attach("pvc-gone"), world.attach("pvc-1")];
    await stage(world.stageRequest(gone, blockUse()), world.host, world.ctx);
    await publish(world.publishRequest(gone, "pod", blockUse()), world.host, world.ctx);
    world.kernel.drop(gone.nqn);
    const request = world.stageRequest(volume, use);
    const targetPath = targetPathOf(gone, "pod");
    await assert.rejects(stage(request, world.host, world.ctx), {
      kind: "failed-precondition",
      message: `Cannot stage volume "pvc-1" on "/dev/nvme0n1" (259:0): it is still mounted at "${targetPath}"`,
    });
    assert.equal(volume.disk.content.kind, "blank");
    await unpublish({ volumeId: "pvc-gone", targetPath }, world.host, world.ctx);
    await stage(request, world.host, world.ctx);
  }
});

test("stage() refuses mount flags off the list before it touches anything", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const request = world.stageRequest(volume, mountUse("single-node-writer", "ext4", ["dev"]));
  await assert.rejects(stage(request, world.host, world.ctx), { kind: "invalid-argument" });
  assert.equal(world.faults.calls, 0);
});
