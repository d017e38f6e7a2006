import assert from "node:assert/strict";
import { appendFileSync, truncateSync } from "node:fs";
import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import { waitFor } from "../rig/wait-for.ts";
import { sh, World } from "../rig/world.ts";

test("connect() brings the device, once, and disconnect() takes it away", async () => {
  using world = new World();
  const volume = world.volume("a");
  world.export(volume);
  const device = await world.connect(volume);
  assert.equal(device.sizeBytes, 64 * MiB);
  assert.equal(device.blockBytes, 4096);
  assert.equal(
    world.sysfs.read("dev", "block", device.majorMinor, "device", "subsysnqn"),
    volume.nqn,
  );

  assert.deepEqual(await world.connect(volume), device);
  assert.deepEqual(world.controllers(volume), ["live"]);

  await world.initiator.disconnect(volume.nqn, world.ctx);
  assert.deepEqual(world.controllers(volume), []);
  assert.equal(world.sysfs.exists("dev", "block", device.majorMinor), false);
  assert.equal(await world.initiator.findDevice(volume.nqn, world.ctx), undefined);
  await world.initiator.disconnect(volume.nqn, world.ctx);
});

test("connect() by a host name makes one connection, and finds it again", async () => {
  using world = new World();
  const { target, ...rest } = world.volume("a");
  const volume = { ...rest, target: { ...target, addresses: ["rds.machine.test"] } };
  appendFileSync("/etc/hosts", `${target.addresses[0]} rds.machine.test\n`);
  world.export(volume);
  const device = await world.connect(volume);
  assert.deepEqual(await world.connect(volume), device);
  assert.deepEqual(world.controllers(volume), ["live"]);
});

test("connect() to an NQN that nobody exports fails and leaves no controller", async () => {
  using world = new World();
  const [known, unknown] = [world.volume("a"), world.volume("b")];
  world.export(known);
  await assert.rejects(world.connect(unknown), { kind: "unavailable" });
  assert.deepEqual(world.sysfs.list("class", "nvme"), []);
});

test("rescan() shows the size that the volume has grown to", async () => {
  using world = new World();
  const volume = world.volume("a");
  world.export(volume);
  await world.connect(volume);
  truncateSync(volume.image, 96 * MiB);
  assert.equal((await world.device(volume)).sizeBytes, 64 * MiB);
  await world.initiator.rescan(volume.nqn, world.ctx);
  await waitFor("the device has 96 MiB", async () => {
    return (await world.device(volume)).sizeBytes === 96 * MiB;
  });
});

test("findDevice() sees no device in a live controller without namespace, until that is back", async () => {
  using world = new World();
  const volume = world.volume("a");
  world.export(volume);
  await world.connect(volume);
  world.target.setEnabled(volume.nqn, false);
  await waitFor("the device is gone", async () => {
    return (await world.initiator.findDevice(volume.nqn, world.ctx)) === undefined;
  });
  assert.deepEqual(world.controllers(volume), ["live"]);
  world.target.setEnabled(volume.nqn, true);
  await world.initiator.rescan(volume.nqn, world.ctx);
  assert.equal((await world.device(volume)).sizeBytes, 64 * MiB);
});

test("disconnect() leaves other subsystems alone, also one whose NQN begins the same", async () => {
  using world = new World();
  const [first, second] = [world.volume("a", 64, 1), world.volume("b", 64, 11)];
  const foreign = { nqn: `${first.nqn}x`, image: second.image };
  world.export(first);
  world.target.export(foreign);
  await world.connect(first);
  sh(`nvme connect -t tcp -a 127.0.0.1 -s 4420 -n ${foreign.nqn} \
    -q nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555 -I 11111111-2222-3333-4444-555555555555`);
  await world.initiator.disconnect(first.nqn, world.ctx);
  const [left, ...more] = world.sysfs.list("class", "nvme");
  assert.deepEqual(more, []);
  assert.equal(world.sysfs.read("class", "nvme", left ?? "", "subsysnqn"), foreign.nqn);
  assert.equal(world.sysfs.read("class", "nvme", left ?? "", "state"), "live");
});
