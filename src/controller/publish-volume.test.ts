import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessMode } from "#domain/access-mode.ts";
import { accessModes } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { systemClock } from "#lib/clock.ts";
import { testContext } from "#test/fakes/context.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { Publisher } from "./publish-volume.ts";
import { unpublishVolume } from "./unpublish-volume.ts";

const id = "pvc-a";

/** A controller with one volume that nobody has. */
function rig(options?: Parameters<typeof controllerRig>[0]) {
  const world = controllerRig(options);
  const slot = putVolume(world.store, id);
  const publisher = new Publisher(world.options);
  const publish = (node: string, mode: AccessMode = "single-node-writer") =>
    publisher.publish({ id, node, mode }, world.ctx);
  const unpublish = (node?: string) => unpublishVolume(world.options, { id, node }, world.ctx);
  const volume = () => {
    const found = world.store.peek(slot);
    assert.ok(found);
    return found;
  };
  return { ...world, slot, publish, unpublish, volume };
}

test("publish() exports under a new epoch and records the node, with two calls of the appliance", async () => {
  const { publish, volume, store, log } = rig();
  const context = await publish("n1");
  const { nqn } = context.target;
  assert.match(nqn, /^nqn\.2000-02\.com\.mikrotik:pvc-a\.1-[a-z0-9]{8}$/);
  assert.deepEqual(context.target, { nqn, addresses: ["10.42.67.1"], port: 4420 });
  assert.equal(context.minSizeBytes, GiB);
  assert.deepEqual(volume().exported, { enabled: true, nqn, port: 4420 });
  assert.deepEqual(volume().tag.attachment?.nodes, ["n1"]);
  assert.deepEqual(store.calls, ["find", "change"]);
  assert.deepEqual(log.records, [
    { level: "info", message: "Volume published", fields: { volumeId: id, nodeId: "n1", nqn } },
  ]);
});

test("publish() hands out no volume whose size the appliance does not tell", async () => {
  const world = controllerRig();
  const slot = putVolume(world.store, id, { sizeBytes: 0 });
  const request = { id, node: "n1", mode: "single-node-writer" } as const;
  await assert.rejects(new Publisher(world.options).publish(request, world.ctx), {
    kind: "unavailable",
  });
  assert.equal(world.store.peek(slot)?.exported.enabled, false);
});

test("publish() tells the node what the volume was copied from", async () => {
  const world = controllerRig();
  putVolume(world.store, id, { tag: { source: "snap-7" } });
  const request = { id, node: "n1", mode: "single-node-writer" } as const;
  const { source } = await new Publisher(world.options).publish(request, world.ctx);
  assert.equal(source, "snap-7");
});

test("publish() changes nothing when repeated, and returns the identical context", async () => {
  const { publish, volume, store } = rig();
  const first = await publish("n1");
  const { comment } = volume();
  assert.deepEqual(await publish("n1"), first);
  assert.equal(volume().comment, comment);
  assert.deepEqual(store.calls, ["find", "change", "find"]);
});

test("publish() for a listed node asks nobody whether the node exists: its pods may be running", async () => {
  const world = rig();
  const first = await world.publish("n1");
  const isKnown = () => Promise.reject(new DriverError("unavailable", "API server is away"));
  const publisher = new Publisher({ ...world.options, nodes: { isKnown } });
  const again = { id, node: "n1", mode: "single-node-writer" } as const;
  assert.deepEqual(await publisher.publish(again, world.ctx), first);
});

test("publish() restores a missing export under the same name, for running pods", async () => {
  const { publish, volume, store, slot } = rig();
  const first = await publish("n1");
  store.putEntry(slot, volume().comment, { ...volume().exported, enabled: false });
  assert.deepEqual(await publish("n1"), first);
  assert.deepEqual(volume().exported, { enabled: true, nqn: first.target.nqn, port: 4420 });
});

test("publish() restores an export that somebody renamed, turning it off first", async () => {
  const { publish, volume, store, slot } = rig();
  const first = await publish("n1");
  store.putEntry(slot, volume().comment, { enabled: true, nqn: "nqn.2000-02.com.mikrotik:x" });
  assert.deepEqual(await publish("n1"), first);
  assert.equal(volume().exported.nqn, first.target.nqn);
});

test("publish() refuses another access mode on the same node", async () => {
  const { publish } = rig();
  await publish("n1");
  await assert.rejects(publish("n1", "multi-node-reader-only"), {
    kind: "already-exists",
    message:
      'Cannot publish volume "pvc-a" to "n1" as multi-node-reader-only: it is published there as single-node-writer',
  });
});

test("publish() gives no second node a volume for one node, whatever the mode, and names the first (pitfall 10)", async () => {
  for (const [mode, { nodes }] of Object.entries(accessModes)) {
    if (nodes !== "one") continue;
    const { publish, volume, clock } = rig();
    await publish("n1", mode as AccessMode);
    const { comment } = volume();
    clock.advance(365 * 24 * 3_600_000);
    await assert.rejects(publish("n2", mode as AccessMode), {
      kind: "failed-precondition",
      message: `Cannot publish volume "pvc-a" to "n2" as ${mode}: it is attached to "n1" as ${mode}`,
    });
    assert.equal(volume().comment, comment);
  }
});

test("publish() lets many nodes read under one name", async () => {
  const { publish, volume } = rig();
  const contexts = [];
  for (const node of ["n1", "n2", "n3"])
    contexts.push(await publish(node, "multi-node-reader-only"));
  assert.equal(new Set(contexts.map(({ target }) => target.nqn)).size, 1);
  assert.deepEqual(volume().tag.attachment?.nodes, ["n1", "n2", "n3"]);
});

test("publish() lets two nodes share a migrating volume, and refuses a third", async () => {
  const { publish, volume, clock } = rig();
  const mode = "multi-node-multi-writer";
  const first = await publish("n1", mode);
  clock.advance(60_000);
  assert.deepEqual(await publish("n2", mode), first);
  assert.equal(volume().tag.attachment?.since, Math.floor(clock.now().getTime() / 1_000));
  await assert.rejects(publish("n3", mode), {
    kind: "failed-precondition",
    message: /attached to "n1" and "n2" as multi-node-multi-writer/,
  });
});

test("publish() mixes no access modes between nodes", async () => {
  const { publish } = rig();
  await publish("n1", "multi-node-multi-writer");
  for (const mode of ["multi-node-reader-only", "single-node-writer"] as const)
    await assert.rejects(publish("n2", mode), { kind: "failed-precondition" });
});

test("publish() makes a new name for each attachment, also of the same node", async () => {
  const { publish, unpublish, volume } = rig();
  const names = new Set<string>();
  for (let round = 1; round <= 4; round++) {
    names.add((await publish("n1")).target.nqn);
    assert.equal(volume().tag.epoch?.counter, round);
    await unpublish("n1");
  }
  assert.equal(names.size, 4);
});

test("publish() waits until the last writes of another node have settled", async () => {
  const { publish, unpublish, clock } = rig();
  await publish("n1");
  await unpublish("n1");
  clock.advance(2_000);
  await publish("n2");
  assert.equal(clock.slept, 3_000);
});

test("publish() lets the node that left come back at once", async () => {
  const { publish, unpublish, clock } = rig();
  await publish("n1");
  await unpublish("n1");
  await publish("n1");
  assert.equal(clock.slept, 0);
});

test("publish() is unavailable when the call ends before the writes have settled, and changes nothing", async () => {
  const { options, publish, unpublish, volume } = rig();
  await publish("n1");
  await unpublish("n1");
  const { comment } = volume();
  const publisher = new Publisher({
    ...options,
    clock: { ...systemClock, now: options.clock.now.bind(options.clock) },
  });
  const ctx = testContext({ signal: AbortSignal.timeout(10) });
  await assert.rejects(publisher.publish({ id, node: "n2", mode: "single-node-writer" }, ctx), {
    kind: "unavailable",
    message: /another node left it less than 5 s ago/,
  });
  assert.equal(volume().comment, comment);
});

test("publish() first cuts off whoever uses a volume that nobody is recorded for, and waits (pitfall 43)", async () => {
  const { publish, store, clock, volume } = rig();
  putVolume(store, id, { exported: { enabled: true, nqn: "nqn.2000-02.com.mikrotik:pvc-a" } });
  const { target } = await publish("n1");
  assert.deepEqual(store.calls, ["find", "change", "change"]);
  assert.equal(clock.slept, 5_000);
  assert.equal(volume().exported.nqn, target.nqn);
});

test("publish() decides again when somebody else was faster", async () => {
  const { publish, store, slot, volume } = rig();
  store.overtakeNext("change", async () => {
    putVolume(store, slot, {
      tag: {
        revision: 2,
        attachment: { nodes: ["n2"], mode: "single-node-writer", since: 1 },
        epoch: { counter: 1, nonce: "aaaaaaaa" },
      },
    });
  });
  await assert.rejects(publish("n1"), { kind: "failed-precondition", message: /attached to "n2"/ });
  assert.deepEqual(volume().tag.attachment?.nodes, ["n2"]);
});

test("publish() gives up as pending when somebody else is faster again and again", async () => {
  const { publish, store, slot } = rig();
  for (let revision = 2; revision < 5; revision++)
    store.overtakeNext("change", async () => putVolume(store, slot, { tag: { revision } }));
  await assert.rejects(publish("n1"), {
    kind: "operation-pending",
    message: 'Cannot change volume "pvc-a": somebody else changed it first, 3 times in a row',
  });
  assert.equal(store.calls.filter((call) => call === "change").length, 3);
});

test("publish() returns the same context after a lost reply (pitfall 13)", async () => {
  const { publish, store, volume } = rig();
  const error = new DriverError("unknown-outcome", "Cannot publish volume: connection lost");
  store.failNext({ method: "change", when: "after", error });
  await assert.rejects(publish("n1"), { kind: "unknown-outcome" });
  const { target } = await publish("n1");
  assert.equal(target.nqn, volume().exported.nqn);
  assert.equal(volume().tag.epoch?.counter, 1);
});

test("publish() finds neither volumes nor nodes that are not there", async () => {
  const { options, publish, ctx, store } = rig();
  const publisher = new Publisher(options);
  const mode = "single-node-writer";
  for (const missing of ["pvc-b", "not/an/id"])
    await assert.rejects(publisher.publish({ id: missing, node: "n1", mode }, ctx), {
      kind: "not-found",
      message: new RegExp(`Cannot find volume "${missing}"`),
    });
  await assert.rejects(publish("n9"), { kind: "not-found", message: /"n9": no such node/ });
  assert.ok(!store.calls.includes("change"));
});

test("publish() refuses node names that would break the comment (pitfall 40)", async () => {
  const { publish, store } = rig();
  for (const node of ["n1,n2", "n1 epoch=1", "", "n\n1"])
    await assert.rejects(publish(node), { kind: "invalid-argument" });
  assert.deepEqual(store.calls, []);
});

test("publish() never touches a disk that is not ours (pitfall 8)", async () => {
  const { publish, store } = rig();
  store.putEntry(id as Slot, "nightly backups");
  await assert.rejects(publish("n1"), { kind: "failed-precondition" });
});

test("publish() hands out the port of the running export, also after the configuration changed", async () => {
  const { publish, store, options, ctx } = rig();
  const first = await publish("n1");
  const moved = memoryAppliance({
    volumes: store,
    data: { addresses: ["10.42.67.1"], port: 4421 },
  });
  const other = controllerRig({ store, appliances: [moved] });
  const publisher = new Publisher({ ...options, appliances: other.options.appliances });
  const again = { id, node: "n1", mode: "single-node-writer" } as const;
  assert.deepEqual(await publisher.publish(again, ctx), first);
});
