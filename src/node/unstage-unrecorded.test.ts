import assert from "node:assert/strict";
import test from "node:test";
import { blockUse, mountUse, NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";
import { unstage } from "./unstage.ts";

/** A node that has lost its records while it had a volume with a hold. */
async function forgotten({ canHold = true, use = mountUse(), isPublished = false } = {}) {
  const world = new NodeWorld({ canHold });
  const volume = world.attach("pvc-1");
  await stage(world.stageRequest(volume, use), world.host, world.ctx);
  if (isPublished) await publish(world.publishRequest(volume, "pod", use), world.host, world.ctx);
  const record = world.records.volumes.get("pvc-1");
  assert.ok(record);
  world.records.volumes.clear();
  const leave = () =>
    unstage({ volumeId: "pvc-1", stagingPath: stagingPathOf(volume) }, world.host, world.ctx);
  const assertKept = () => {
    assert.ok(world.kernel.find(volume.nqn));
    assert.deepEqual(world.kernel.damage, []);
  };
  return { world, volume, record, leave, assertKept };
}

for (const use of [mountUse(), mountUse("single-node-writer", "btrfs"), blockUse()])
  test(`unstage() without a record disconnects what a hold proves to be the volume (${JSON.stringify(use.access)})`, async () => {
    const { world, leave } = await forgotten({ use });
    const other = world.attach("pvc-1.1");
    await stage(world.stageRequest(other, blockUse()), world.host, world.ctx);
    world.records.volumes.clear();
    await leave();
    await leave();
    assert.deepEqual([...world.kernel.controllers.keys()], [other.nqn]);
    assert.deepEqual([...world.kernel.holds.keys()], [other.nqn]);
    assert.deepEqual(world.kernel.damage, []);
  });

test("unstage() without a record leaves a hold that the record of another volume claims, or a damaged one may claim", async () => {
  const { world, record, leave, assertKept } = await forgotten();
  world.records.volumes.set("other/pvc-1", { ...record, volumeId: "other/pvc-1" });
  await leave();
  assertKept();
  world.records.damaged.add("other/pvc-1");
  await leave();
  assertKept();
  world.records.volumes.clear();
  await leave();
  assert.equal(world.kernel.controllers.size, 0);
});

test("unstage() without a record refuses while somebody uses the hold", async () => {
  const { world, volume, leave, assertKept } = await forgotten({
    use: blockUse(),
    isPublished: true,
  });
  await assert.rejects(leave(), { kind: "failed-precondition" });
  assertKept();
  world.kernel.mounts = [];
  const hold = world.kernel.holds.get(volume.nqn);
  assert.ok(hold);
  world.kernel.claims.add(hold);
  await assert.rejects(leave(), { kind: "unavailable" });
  assertKept();
});

test("unstage() without a record leaves a hold whose device is away: writes may wait in it", async () => {
  const { world, volume, leave } = await forgotten({ use: blockUse() });
  world.kernel.lose(volume.nqn);
  await leave();
  assert.equal(world.kernel.holds.get(volume.nqn)?.isQueueing, true);
  assert.equal(world.kernel.controllers.size, 1);
  assert.ok(world.warnings.some((text) => /^Left a hold/.test(text)));
});

test("unstage() without a record leaves a connection without a hold, and says how to look", async () => {
  const { world, leave, assertKept } = await forgotten({ canHold: false });
  await leave();
  assertKept();
  assert.ok(
    world.log.records.some(({ message }) => message.includes("/sys/class/nvme/*/subsysnqn")),
  );
});
