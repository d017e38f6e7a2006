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
import { expand } from "./expand.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";

async function published(use = mountUse(), { canHold } = { canHold: false }) {
  const world = new NodeWorld({ canHold });
  const volume = world.attach("pvc-1");
  if (use.accessMode.endsWith("reader-only")) volume.disk.format("ext4");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  const request = {
    volumeId: "pvc-1",
    volumePath: targetPathOf(volume, "pod"),
    requiredBytes: (3 * GiB) as number | undefined,
    limitBytes: undefined as number | undefined,
  };
  return { world, volume, request };
}

test("expand() waits for the device to grow, then grows the file system", async () => {
  const { world, volume, request } = await published();
  volume.disk.sizeBytes = 3 * GiB;
  assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
  assert.equal(volume.disk.filesystemBytes, 3 * GiB);
});

test("expand() grows the file system although the device has grown before (pitfall 23)", async () => {
  const { world, volume, request } = await published();
  volume.disk.sizeBytes = 3 * GiB;
  world.kernel.rescan(volume.nqn);
  assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
  assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
  assert.equal(volume.disk.filesystemBytes, 3 * GiB);
});

test("expand() works through the staging path, and through a pod's read-only path", async () => {
  const { world, volume, request } = await published();
  const reader = { ...world.publishRequest(volume, "reader"), readOnly: true };
  await publish(reader, world.host, world.ctx);
  for (const volumePath of [stagingPathOf(volume), reader.targetPath]) {
    volume.disk.sizeBytes += GiB;
    const wanted = { ...request, volumePath, requiredBytes: volume.disk.sizeBytes };
    assert.equal(await expand(wanted, world.host, world.ctx), volume.disk.sizeBytes);
    assert.equal(volume.disk.filesystemBytes, volume.disk.sizeBytes);
  }
});

test("expand() fails, in bounded time, when the device does not grow", async () => {
  const { world, volume, request } = await published();
  await assert.rejects(expand(request, world.host, world.ctx), { kind: "unavailable" });
  assert.ok(world.clock.slept < 10_000);
  assert.equal(volume.disk.filesystemBytes, GiB);
});

test("expand() without a size uses what the device has", async () => {
  const { world, volume, request } = await published();
  volume.disk.sizeBytes = 2 * GiB;
  const wanted = { ...request, requiredBytes: undefined };
  assert.equal(await expand(wanted, world.host, world.ctx), 2 * GiB);
  assert.equal(volume.disk.filesystemBytes, 2 * GiB);
});

test("expand() refuses a device that is over the limit", async () => {
  const { world, volume, request } = await published();
  volume.disk.sizeBytes = 4 * GiB;
  const wanted = { ...request, limitBytes: 3 * GiB };
  world.kernel.rescan(volume.nqn);
  await assert.rejects(expand(wanted, world.host, world.ctx), { kind: "out-of-range" });
  assert.equal(volume.disk.filesystemBytes, GiB);
});

test("expand() reports the size of a raw block volume, whatever its path is called", async () => {
  const { world, volume, request } = await published(blockUse());
  volume.disk.sizeBytes = 3 * GiB;
  const wanted = { ...request, volumePath: "csi-device" };
  assert.equal(await expand(wanted, world.host, world.ctx), 3 * GiB);
  assert.equal(world.kernel.find(volume.nqn)?.sizeBytes, 3 * GiB);
});

test("expand() does not grow what may only be read", async () => {
  const { world, volume, request } = await published(mountUse("single-node-reader-only"));
  volume.disk.sizeBytes = 3 * GiB;
  assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
  assert.equal(volume.disk.filesystemBytes, GiB);
});

test("expand() finds no volume without a record, or at a path where it is not", async () => {
  const { world, request } = await published();
  for (const wrong of [
    { ...request, volumeId: "pvc-2" },
    { ...request, requiredBytes: undefined, volumePath: "/elsewhere" },
  ])
    await assert.rejects(expand(wrong, world.host, world.ctx), { kind: "not-found" });
});

test("expand() does not touch a stale mount after a renumbering (pitfall 4)", async () => {
  const { world, volume, request } = await published();
  volume.disk.sizeBytes = 3 * GiB;
  world.kernel.restore(volume.nqn, { renumbered: true });
  await assert.rejects(expand(request, world.host, world.ctx), { kind: "not-found" });
  assert.equal(volume.disk.filesystemBytes, GiB);
});

test("expand() grows device, hold and file system in this order, and what a lost reply has left", async () => {
  for (const use of [mountUse(), blockUse()]) {
    const { world, volume, request } = await published(use, { canHold: true });
    for (let count = 0; count < 2; count++) {
      volume.disk.sizeBytes = 3 * GiB;
      assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
      assert.equal(world.kernel.holds.get(volume.nqn)?.sizeBytes, 3 * GiB);
    }
    if (use.access.type === "mount") assert.equal(volume.disk.filesystemBytes, 3 * GiB);
  }
});

test("expand() is unavailable in an outage and until the hold has followed, and works after it", async () => {
  const { world, volume, request } = await published(mountUse(), { canHold: true });
  world.kernel.drop(volume.nqn);
  volume.disk.sizeBytes = 3 * GiB;
  await assert.rejects(expand(request, world.host, world.ctx), {
    kind: "unavailable",
    message: `Cannot find the device of "${volume.nqn}": the kernel shows none after 5 s`,
  });
  world.kernel.connect(volume.nqn);
  await assert.rejects(expand(request, world.host, world.ctx), { kind: "unavailable" });
  assert.equal(volume.disk.filesystemBytes, GiB);
  await world.heal(volume);
  assert.equal(await expand(request, world.host, world.ctx), 3 * GiB);
  assert.equal(volume.disk.filesystemBytes, 3 * GiB);
});

test("expand() does not grow the hold of a device that is over the limit", async () => {
  const { world, volume, request } = await published(mountUse(), { canHold: true });
  volume.disk.sizeBytes = 4 * GiB;
  const wanted = { ...request, limitBytes: 3 * GiB };
  await assert.rejects(expand(wanted, world.host, world.ctx), { kind: "out-of-range" });
  assert.equal(world.kernel.holds.get(volume.nqn)?.sizeBytes, GiB);
});
