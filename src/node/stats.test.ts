import assert from "node:assert/strict";
import test from "node:test";
import { GiB } from "#lib/bytes.ts";
import {
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { stats } from "./stats.ts";

async function published(use = mountUse(), { canHold } = { canHold: false }) {
  const world = new NodeWorld({ canHold });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  const volumePath = targetPathOf(volume, "pod");
  return { world, volume, volumePath, request: { volumeId: "pvc-1", volumePath } };
}

test("stats() measures a file system where it is published or staged", async () => {
  const { world, volume, volumePath, request } = await published();
  world.write(volumePath, "file", "content");
  for (const path of [volumePath, stagingPathOf(volume)]) {
    const { usage, condition } = await stats(
      { ...request, volumePath: path },
      world.host,
      world.ctx,
    );
    assert.deepEqual(usage, {
      kind: "filesystem",
      totalBytes: GiB,
      usedBytes: 4_096,
      availableBytes: GiB - 4_096,
      totalInodes: 1_000,
      freeInodes: 999,
    });
    assert.equal(condition.abnormal, false);
  }
});

test("stats() calls a volume abnormal whose file system has stopped after an error, and measures it", async () => {
  for (const word of ["ro", "shutdown", "emergency_ro"]) {
    const { world, request } = await published();
    world.kernel.mounts = world.kernel.mounts.map((mount) => ({ ...mount, superOptions: [word] }));
    const { usage, condition } = await stats(request, world.host, world.ctx);
    assert.equal(usage.kind, "filesystem");
    assert.equal(condition.abnormal, true);
    assert.match(condition.message, /^The file system takes no more writes after an error/);
  }
});

test("stats() calls a volume abnormal whose ext4 has met errors, where its mount options do not tell", async () => {
  const { world, volume, request } = await published();
  volume.disk.errors = 2;
  const { usage, condition } = await stats(request, world.host, world.ctx);
  assert.equal(usage.kind, "filesystem");
  assert.equal(condition.abnormal, true);
  assert.match(condition.message, /^The file system has met errors \(2 since its last check\)/);
});

test("stats() calls a volume well that was mounted for reading only", async () => {
  const { world, request } = await published();
  const readOnly = { options: ["ro"], superOptions: ["ro"] };
  world.kernel.mounts = world.kernel.mounts.map((mount) => ({ ...mount, ...readOnly }));
  assert.equal((await stats(request, world.host, world.ctx)).condition.abnormal, false);
});

test("stats() measures a raw block device", async () => {
  const { world, volume, request } = await published(blockUse());
  const { usage, condition } = await stats(request, world.host, world.ctx);
  assert.deepEqual(usage, { kind: "block", totalBytes: GiB });
  assert.equal(condition.abnormal, false);
  world.kernel.lose(volume.nqn);
  assert.equal((await stats(request, world.host, world.ctx)).condition.abnormal, true);
});

test("stats() calls a volume abnormal whose device is gone, and does not touch its mount (pitfall 24)", async () => {
  const { world, volume, request } = await published();
  for (const end of [() => world.kernel.lose(volume.nqn), () => world.kernel.drop(volume.nqn)]) {
    end();
    let touched = false;
    const host = {
      ...world.host,
      filesystems: Object.assign(Object.create(world.filesystems), {
        usage: async () => {
          touched = true;
        },
      }),
    };
    const { usage, condition } = await stats(request, host, world.ctx);
    assert.deepEqual(usage, { kind: "none" });
    assert.deepEqual(condition, {
      abnormal: true,
      message: `The device of "${volume.nqn}" is not connected: reads and writes wait or fail`,
    });
    assert.equal(touched, false);
  }
});

test("stats() calls a volume abnormal whose pods keep a dead mount after a renumbering", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const { world, volume, volumePath, request } = await published(use);
    world.kernel.restore(volume.nqn, { renumbered: true });
    if (use.access.type === "block") {
      world.kernel.drop(volume.nqn);
      world.kernel.connect(world.attach("pvc-2").nqn);
      world.kernel.connect(volume.nqn);
    }
    const { condition } = await stats(request, world.host, world.ctx);
    assert.equal(condition.abnormal, true);
    assert.ok(condition.message.startsWith(`"${volumePath}" shows device 259:0, which is gone`));
  }
});

test("stats() finds no volume without a record, or at a path where it is not", async () => {
  const { world, request } = await published();
  const other = world.attach("pvc-2");
  await stage(world.stageRequest(other), world.host, world.ctx);
  for (const wrong of [
    { ...request, volumeId: "pvc-3" },
    { ...request, volumePath: "/elsewhere" },
    { ...request, volumePath: stagingPathOf(other) },
  ])
    await assert.rejects(stats(wrong, world.host, world.ctx), { kind: "not-found" });
  const block = await published(blockUse());
  for (const volumePath of ["/elsewhere", "some/path", "/dev/nvme0n1"]) {
    const wrong = { ...block.request, volumePath };
    await assert.rejects(stats(wrong, block.world.host, block.world.ctx), { kind: "not-found" });
  }
  const staging = { ...block.request, volumePath: stagingPathOf(block.volume) };
  assert.equal((await stats(staging, block.world.host, block.world.ctx)).usage.kind, "block");
});

/** A host whose file systems fail the test when they are asked. */
function untouchable(world: NodeWorld) {
  const usage = async () => assert.fail("statfs was attempted");
  const filesystems = Object.assign(Object.create(world.filesystems), { usage });
  return { ...world.host, filesystems };
}

test("stats() measures through a hold, and touches nothing that may hang on one", async () => {
  const { world, volume, request } = await published(mountUse(), { canHold: true });
  assert.equal((await stats(request, world.host, world.ctx)).usage.kind, "filesystem");
  const held = untouchable(world);
  world.kernel.lose(volume.nqn);
  assert.equal((await stats(request, held, world.ctx)).condition.abnormal, true);
  world.kernel.restore(volume.nqn, { renumbered: true });
  const { usage, condition } = await stats(request, held, world.ctx);
  assert.deepEqual([usage.kind, condition.abnormal], ["none", true]);
  await world.heal(volume);
  assert.equal((await stats(request, world.host, world.ctx)).condition.abnormal, false);
});

test("stats() tells of a device that goes while it is being looked up", async () => {
  const { world, volume, request } = await published(mountUse(), { canHold: true });
  const { devices } = world;
  const holders = devices.holders.bind(devices);
  devices.holders = async (majorMinor, ctx) => {
    devices.holders = holders;
    world.kernel.drop(volume.nqn);
    return await holders(majorMinor, ctx);
  };
  const { usage, condition } = await stats(request, untouchable(world), world.ctx);
  assert.deepEqual([usage.kind, condition.abnormal], ["none", true]);
});

test("stats() tells what the watch has seen, and measures only where reads answer", async () => {
  const { world, request } = await published(mountUse(), { canHold: true });
  const message = "as the watch says";
  for (const [state, isMeasured] of [
    ["doubtful", true],
    ["stale", true],
    ["waiting", false],
    ["refused", false],
    ["failed", false],
  ] as const) {
    world.health.report("pvc-1", { state, message });
    const host = isMeasured ? world.host : untouchable(world);
    const { usage, condition } = await stats(request, host, world.ctx);
    assert.deepEqual(condition, { abnormal: true, message });
    assert.equal(usage.kind, isMeasured ? "filesystem" : "none");
  }
  world.health.report("pvc-1", { state: "connected", message });
  assert.equal((await stats(request, world.host, world.ctx)).condition.abnormal, false);
});
