import assert from "node:assert/strict";
import test from "node:test";
import { givesUp, sh, type TestVolume, World } from "../rig/world.ts";

/** Puts text at the start of the volume's device, past the page cache. */
function mark(path: string, text: string): void {
  sh(`printf %-4096s ${text} | dd of=${path} bs=4096 count=1 oflag=direct iflag=fullblock`);
}

function markOf(path: string): string {
  return sh(`dd if=${path} bs=4096 count=1 iflag=direct`).trim();
}

async function loseAll(world: World, ...volumes: readonly TestVolume[]): Promise<void> {
  for (const { nqn } of volumes) world.target.unexport(nqn);
  for (const volume of volumes) await world.waitForControllers(volume);
}

test("findDevice() tells two volumes apart that come back under each other's name", async () => {
  using world = new World();
  const [first, second] = [world.volume("a"), world.volume("b")];
  for (const volume of [first, second]) {
    world.export(volume);
    mark((await world.connect(volume, givesUp)).path, volume.nqn);
  }
  const before = [(await world.device(first)).path, (await world.device(second)).path];
  await loseAll(world, first, second);
  for (const volume of [second, first]) {
    world.export(volume);
    await world.connect(volume, givesUp);
  }
  const after = [(await world.device(first)).path, (await world.device(second)).path];
  assert.deepEqual(after, before.toReversed());
  assert.equal(markOf((await world.device(first)).path), first.nqn);
  assert.equal(markOf((await world.device(second)).path), second.nqn);
});

test("findDevice() finds the new device beside one that a stale mount still holds", async () => {
  using world = new World();
  const volume = world.volume("a");
  world.export(volume);
  const device = await world.connect(volume, givesUp);
  const mountPoint = await world.mountNew(device.path, "ext4");
  await loseAll(world, volume);
  assert.equal(await world.initiator.findDevice(volume.nqn, world.ctx), undefined);
  assert.match(
    sh("cat /proc/self/mountinfo"),
    new RegExp(` ${device.majorMinor} / ${mountPoint} `),
  );
  assert.equal(world.sysfs.exists("dev", "block", device.majorMinor), false);

  world.export(volume);
  const back = await world.connect(volume, givesUp);
  assert.notEqual(back.path, device.path);
  assert.notEqual(back.majorMinor, device.majorMinor);
  await world.mounts.unmount(mountPoint, world.ctx);
  await world.initiator.disconnect(volume.nqn, world.ctx);
  assert.deepEqual(world.sysfs.list("class", "nvme-subsystem"), []);
});

test("disconnect() ends a controller that only tries to connect", async () => {
  using world = new World();
  const volume = world.volume("a");
  world.export(volume);
  await world.connect(volume);
  world.target.unexport(volume.nqn);
  await world.waitForControllers(volume, "connecting");
  assert.equal(await world.initiator.findDevice(volume.nqn, world.ctx), undefined);
  await world.initiator.disconnect(volume.nqn, world.ctx);
  assert.deepEqual(world.controllers(volume), []);
});
