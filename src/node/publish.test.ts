import assert from "node:assert/strict";
import test from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import type { BindRequest } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { MemoryMounts } from "#test/fakes/node/memory-mounts.ts";
import {
  blockUse,
  mountUse,
  NodeWorld,
  stagingPathOf,
  targetPathOf,
} from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";

async function staged(use: VolumeUse = mountUse()) {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  if (use.accessMode.endsWith("reader-only")) volume.disk.format("ext4");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  const target = targetPathOf(volume, "pod");
  return { world, volume, target, request: world.publishRequest(volume, "pod", use) };
}

test("publish() gives a pod the staged file system", async () => {
  const { world, volume, target, request } = await staged();
  await publish(request, world.host, world.ctx);
  world.write(target, "file", "from the pod");
  assert.equal(volume.disk.files.get("file"), "from the pod");
  assert.deepEqual(world.topmost(target)?.options, ["rw", "nosuid", "nodev"]);
});

test("publish() repeated does not stack mounts (pitfall 1)", async () => {
  const { world, target, request } = await staged();
  await publish(request, world.host, world.ctx);
  await publish(request, world.host, world.ctx);
  assert.equal(world.mountsAt(target).length, 1);
});

test("publish() makes a mount read-only for a reader, and says no to a change of mind", async () => {
  const { world, target, request } = await staged();
  await publish({ ...request, readOnly: true }, world.host, world.ctx);
  assert.throws(() => world.write(target, "file", "x"), { message: "EROFS" });
  await assert.rejects(publish(request, world.host, world.ctx), {
    kind: "already-exists",
    message: `Cannot publish volume "pvc-1": it is published read-only at "${target}"`,
  });
  assert.equal(world.mountsAt(target).length, 1);
});

test("publish() makes a mount read-only for a mode that only reads", async () => {
  const { world, target, request } = await staged(mountUse("single-node-reader-only"));
  await publish(request, world.host, world.ctx);
  assert.ok(world.topmost(target)?.options.includes("ro"));
});

test("publish() forces nosuid and nodev, and noexec only where it was asked for (pitfall 46)", async () => {
  const plain = await staged();
  await publish(plain.request, plain.world.host, plain.world.ctx);
  assert.deepEqual(plain.world.topmost(plain.target)?.options, ["rw", "nosuid", "nodev"]);
  const strict = await staged(mountUse("single-node-writer", "ext4", ["noexec", "commit=30"]));
  await publish(strict.request, strict.world.host, strict.world.ctx);
  assert.deepEqual(strict.world.topmost(strict.target)?.options, [
    "rw",
    "nosuid",
    "nodev",
    "noexec",
  ]);
});

test("publish() refuses a volume that is not staged, or not as asked", async () => {
  const { world, volume, request } = await staged();
  const other = world.attach("pvc-2");
  for (const [wrong, state] of [
    [world.publishRequest(other, "pod"), "not staged on this node"],
    [{ ...request, stagingPath: "/elsewhere" }, `staged at "${stagingPathOf(volume)}"`],
    [{ ...request, use: blockUse() }, "staged for mount access"],
    [
      { ...request, use: mountUse("single-node-reader-only") },
      'staged with access mode "single-node-writer"',
    ],
  ] as const)
    await assert.rejects(publish(wrong, world.host, world.ctx), {
      kind: "failed-precondition",
      message: `Cannot publish volume "${wrong.volumeId}": it is ${state}`,
    });
  assert.equal(world.kernel.mounts.length, 1);
});

test("publish() does not hand out an empty folder when the staging path is not mounted", async () => {
  const { world, target, request } = await staged();
  world.kernel.mounts = [];
  await assert.rejects(publish(request, world.host, world.ctx), { kind: "failed-precondition" });
  assert.deepEqual(world.mountsAt(target), []);
  assert.equal(world.paths.kindNow(target), undefined);
});

test("publish() does not hand out a stale mount after a renumbering (pitfall 4)", async () => {
  const { world, volume, target, request } = await staged();
  world.kernel.restore(volume.nqn, { renumbered: true });
  await assert.rejects(publish(request, world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot publish "/dev/nvme1n1" (259:1): "${stagingPathOf(volume)}" has "/dev/nvme0n1" (259:0) mounted`,
  });
  assert.deepEqual(world.mountsAt(target), []);
});

test("publish() refuses a target path that something else is mounted at", async () => {
  const { world, request } = await staged();
  const other = world.attach("pvc-2");
  await stage(world.stageRequest(other), world.host, world.ctx);
  const wrong = { ...request, targetPath: stagingPathOf(other) };
  await assert.rejects(publish(wrong, world.host, world.ctx), { kind: "already-exists" });
  assert.equal(world.mountsAt(stagingPathOf(other)).length, 1);
});

test("publish() refuses a target path that shows a part of the volume, or something on top of it", async () => {
  const { world, target, request } = await staged();
  await publish(request, world.host, world.ctx);
  const mount = world.topmost(target);
  assert.ok(mount);
  for (const wrong of [
    { ...mount, root: "/folder" },
    { ...mount, majorMinor: "8:1", source: "/dev/sda1", device: undefined },
  ]) {
    world.kernel.mounts.push(wrong);
    await assert.rejects(publish(request, world.host, world.ctx), { kind: "already-exists" });
    world.kernel.mounts.pop();
  }
  await publish(request, world.host, world.ctx);
});

test("publish() gives a single writer one target path, and others as many as they like", async () => {
  const { world, volume, target, request } = await staged(mountUse("single-node-single-writer"));
  await publish(request, world.host, world.ctx);
  const second = { ...request, targetPath: targetPathOf(volume, "second") };
  await assert.rejects(publish(second, world.host, world.ctx), {
    kind: "failed-precondition",
    message: `Cannot publish volume "pvc-1": it has a single writer, and is published at "${target}"`,
  });
  await publish(request, world.host, world.ctx);
  for (const mode of ["single-node-writer", "single-node-multi-writer"] as const) {
    const use = mountUse(mode);
    await publish({ ...second, use }, world.host, world.ctx);
  }
  assert.equal(world.mountsAt(second.targetPath).length, 1);
});

test("publish() places a raw block device at the target path", async () => {
  const { world, volume, target, request } = await staged(blockUse());
  await publish(request, world.host, world.ctx);
  await publish(request, world.host, world.ctx);
  assert.equal(world.mountsAt(target).length, 1);
  assert.equal(await world.devices.majorMinorOf(target, world.ctx), "259:0");
  assert.equal(await world.paths.kindOf(target, world.ctx), "block-device");
  assert.ok(!world.topmost(target)?.options.includes("nodev"), "the node must be usable");
  assert.equal(world.kernel.find(volume.nqn)?.majorMinor, "259:0");
});

test("publish() makes a raw block device read-only for all or for none", async () => {
  const { world, volume, request } = await staged(blockUse());
  await publish({ ...request, readOnly: true }, world.host, world.ctx);
  assert.equal(world.kernel.controllers.get(volume.nqn)?.device?.isReadOnly, true);
  const second = { ...request, targetPath: targetPathOf(volume, "second") };
  await assert.rejects(publish(second, world.host, world.ctx), { kind: "failed-precondition" });
  assert.equal(world.kernel.controllers.get(volume.nqn)?.device?.isReadOnly, true);
  await publish({ ...second, readOnly: true }, world.host, world.ctx);
  assert.equal(world.mountsAt(second.targetPath).length, 1);
});

/** The device is renumbered while mount(8) runs, and its name goes to another volume. */
class LateMounts extends MemoryMounts {
  before: () => void = () => {};
  override async bind(request: BindRequest, ctx: Context): Promise<void> {
    this.before();
    await super.bind(request, ctx);
  }
}

test("publish() takes back a device node that turned out to be another volume's (pitfall 4)", async () => {
  const { world, volume, target, request } = await staged(blockUse());
  const other = world.attach("pvc-2");
  const mounts = new LateMounts(world.kernel, world.paths);
  mounts.before = () => {
    world.kernel.drop(volume.nqn);
    world.kernel.connect(other.nqn);
    world.kernel.connect(volume.nqn);
  };
  await assert.rejects(publish(request, { ...world.host, mounts }, world.ctx), {
    kind: "unavailable",
  });
  assert.deepEqual(world.mountsAt(target), []);
  assert.equal(world.paths.kindNow(target), undefined);
});

test("publish() refuses to add to a storm of mounts (pitfall 34)", async () => {
  const { world, volume, request } = await staged();
  const mount = world.topmost(stagingPathOf(volume));
  assert.ok(mount);
  for (let index = 0; index < 1_000; index++)
    world.kernel.mounts.push({ ...mount, target: `/storm/${index}` });
  await assert.rejects(publish(request, world.host, world.ctx), { kind: "resource-exhausted" });
  assert.equal(world.kernel.mounts.length, 1_001);
});

test("publish() fails while the device is gone, and leaves no target path behind", async () => {
  const { world, volume, target, request } = await staged();
  world.kernel.lose(volume.nqn);
  await assert.rejects(publish(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(world.paths.kindNow(target), undefined);
});
