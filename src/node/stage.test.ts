import assert from "node:assert/strict";
import test from "node:test";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
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

test("stage() ends a new connection that is live and never shows a device, so that the next try makes another", async () => {
  for (const canHold of [true, false]) {
    const world = new NodeWorld({ canHold });
    const volume = world.attach("pvc-1");
    world.kernel.hidesNamespaces = true;
    world.kernel.staysMute = true;
    await assert.rejects(stage(world.stageRequest(volume), world.host, world.ctx), {
      kind: "unavailable",
      message: `Cannot find the device of "${volume.nqn}": the kernel shows none after 5 s`,
    });
    assert.equal(world.kernel.controllers.size, 0);
    world.kernel.staysMute = false;
    await stage(world.stageRequest(volume), world.host, world.ctx);
    assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
  }
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

test("stage() checks an ext4 that says it has met errors, before anybody writes to it", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  volume.disk.format("ext4");
  volume.disk.errors = 3;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.deepEqual(world.filesystems.checked, ["/dev/nvme0n1"]);
  assert.deepEqual(world.kernel.damage, []);
  assert.equal(volume.disk.errors, 0);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

test("stage() does not check an ext4 with errors that pods still have mounted, or that may only be read", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  volume.disk.errors = 3;
  await world.host.mounts.unmount(stagingPathOf(volume), world.ctx);
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);

  const shared = world.attach("pvc-2");
  shared.disk.format("ext4");
  shared.disk.errors = 3;
  const use = mountUse("multi-node-reader-only");
  await stage(world.stageRequest(shared, use), world.host, world.ctx);
  assert.deepEqual(world.filesystems.checked, []);
  assert.deepEqual(world.kernel.damage, []);
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

test("stage() makes a device writable again that its last user left read-only", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  world.kernel.connect(volume.nqn);
  const device = world.kernel.controllers.get(volume.nqn)?.device;
  assert.ok(device);
  device.isReadOnly = true;
  await stage(world.stageRequest(volume), world.host, world.ctx);
  assert.equal(device.isReadOnly, false);
  assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
});

test("stage() repeated leaves a raw block device read-only that a pod has so", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  const reader = { ...world.publishRequest(volume, "pod", blockUse()), readOnly: true };
  await publish(reader, world.host, world.ctx);
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  assert.equal(world.kernel.controllers.get(volume.nqn)?.device?.isReadOnly, true);
});

test("stage() connects a raw block volume and mounts nothing", async () => {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(volume.disk.content.kind, "blank");
  assert.equal(world.records.volumes.get("pvc-1")?.phase, "staged");
});

test("stage() without a hold refuses a device that the host has taken, by name, and lets one go on that pods have", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const world = new NodeWorld();
    const volume = world.attach("pvc-1");
    volume.disk.format("ext4");
    world.kernel.holders.set("259:0", ["dm-7"]);
    await assert.rejects(stage(world.stageRequest(volume, use), world.host, world.ctx), {
      kind: "unavailable",
      message: `Cannot stage volume "pvc-1" on "/dev/nvme0n1" (259:0): "/dev/nvme0n1" is held by "dm-7"`,
    });
    assert.deepEqual(world.mountsAt(stagingPathOf(volume)), []);
    world.kernel.holders.clear();
    await stage(world.stageRequest(volume, use), world.host, world.ctx);
    world.kernel.holders.set("259:0", ["dm-7"]);
    await stage(world.stageRequest(volume, use), world.host, world.ctx);
  }
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
