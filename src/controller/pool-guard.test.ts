import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import type { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { deleteVolume } from "./delete-volume.ts";
import { PoolGuard } from "./pool-guard.ts";
import { Publisher } from "./publish-volume.ts";
import { unpublishVolume } from "./unpublish-volume.ts";

const mode = "single-node-writer";

/** A controller with its guard, and volumes "pvc-a", "pvc-b", "pvc-c" of 1 GiB that nobody has, on 1 TiB. */
function rig(options?: Parameters<typeof controllerRig>[0]) {
  const world = controllerRig(options);
  const { store, ctx, clock, log } = world;
  const slots = ["pvc-a", "pvc-b", "pvc-c"].map(
    (id) => store.peek(id as Slot)?.slot ?? putVolume(store, id),
  );
  const [a = slots[0] as Slot, b = a, c = a] = slots;
  const guardOf = (volumes: MemoryVolumeStore) => {
    const { shutPools } = world.options;
    return new PoolGuard({ appliance: memoryAppliance({ volumes }), shutPools, clock, log });
  };
  const publisher = new Publisher(world.options);
  return {
    ...world,
    a,
    b,
    c,
    guard: guardOf(store),
    publish: (id: string, node = "n1") => publisher.publish({ id, node, mode }, ctx),
    unpublish: (id: string, node?: string) => unpublishVolume(world.options, { id, node }, ctx),
    leaveFree: (bytes: number) => {
      store.otherBytes = TiB - 3 * GiB - bytes;
    },
    exported: (slot: Slot) => store.peek(slot)?.exported,
    tag: (slot: Slot) => store.peek(slot)?.tag,
  };
}

/** The second look is the one that counts. */
async function lookTwice(guard: PoolGuard): Promise<void> {
  await guard.look();
  await guard.look();
}

test("look() takes all exports of a pool below its mark off, and keeps names and attachments (a full pool destroys file systems)", async () => {
  const { guard, publish, leaveFree, exported, tag, a, b, c, log } = rig();
  const [first, second] = [await publish("pvc-a"), await publish("pvc-b", "n2")];
  leaveFree(20 * GiB);
  assert.equal(await guard.look(), 1_000);
  assert.equal(exported(a)?.enabled, true, "one reading alone is no reason");
  assert.equal(await guard.look(), 5_000);
  assert.deepEqual(exported(a), { enabled: false, nqn: first.target.nqn, port: 4420 });
  assert.deepEqual(exported(b), { enabled: false, nqn: second.target.nqn, port: 4420 });
  assert.deepEqual([tag(a)?.halted, tag(b)?.halted, tag(c)?.halted], [true, true, false]);
  assert.deepEqual([tag(a)?.attachment?.nodes, tag(b)?.attachment?.nodes], [["n1"], ["n2"]]);
  assert.deepEqual(
    log.records.filter(({ level }) => level === "error").map(({ fields }) => fields),
    [
      {
        appliance: "rds",
        pool: "pool",
        free: "20 GiB",
        size: "1 TiB",
        exports: 2,
        backWhenFree: "4%",
      },
    ],
  );
});

test("look() puts the exports back with twice the room, under the same names", async () => {
  const { guard, publish, leaveFree, exported, tag, a, b, options } = rig();
  const { nqn } = (await publish("pvc-a")).target;
  leaveFree(20 * GiB);
  await lookTwice(guard);
  leaveFree(40 * GiB);
  assert.equal(await guard.look(), 5_000);
  assert.equal(exported(a)?.enabled, false, "between the marks nothing changes");
  leaveFree(500 * GiB);
  assert.equal(await guard.look(), 30_000);
  assert.deepEqual(exported(a), { enabled: true, nqn, port: 4420 });
  assert.deepEqual([tag(a)?.halted, tag(b)?.halted, exported(b)?.enabled], [false, false, false]);
  assert.equal(options.shutPools.size, 0);
  assert.deepEqual((await publish("pvc-a")).target.nqn, nqn);
});

test("look() takes one wrong reading for what it is", async () => {
  const { guard, publish, leaveFree, exported, store, a } = rig();
  await publish("pvc-a");
  leaveFree(GiB);
  await guard.look();
  leaveFree(500 * GiB);
  assert.equal(await guard.look(), 30_000);
  leaveFree(GiB);
  await guard.look();
  assert.equal(exported(a)?.enabled, true);
  assert.deepEqual(
    store.calls.filter((call) => call === "change").length,
    1,
    "the one of publish()",
  );
});

test("look() cuts nobody off on an appliance that does not tell how much is free", async () => {
  const { guard, publish, exported, store, a } = rig();
  await publish("pvc-a");
  const survey = store.survey.bind(store);
  store.survey = async () => {
    const seen = await survey();
    return { ...seen, pool: { ...seen.pool, sizeBytes: 0, freeBytes: 0 } };
  };
  for (let looks = 0; looks < 3; looks++)
    await assert.rejects(guard.look(), {
      kind: "unavailable",
      message:
        'Cannot guard appliance "rds": the appliance does not tell how much of pool "pool" is free',
    });
  assert.equal(exported(a)?.enabled, true);
});

test("publish() neither attaches nor puts an export back while the pool is shut, and says what to do", async () => {
  const { guard, publish, leaveFree, exported, tag, a, c } = rig();
  await publish("pvc-a");
  leaveFree(GiB);
  await lookTwice(guard);
  for (const [id, node] of [
    ["pvc-a", "n1"],
    ["pvc-c", "n2"],
  ] as const)
    await assert.rejects(publish(id, node), {
      kind: "unavailable",
      message: `Cannot publish volume "${id}" to "${node}": the pool of appliance "rds" has run full, and its exports are off until 4% of it is free; delete snapshots or volumes`,
    });
  assert.deepEqual([exported(a)?.enabled, exported(c)?.enabled], [false, false]);
  assert.equal(tag(c)?.attachment, undefined);
});

test("publish() of a controller that has just started puts no halted export back", async () => {
  const before = rig();
  await before.publish("pvc-a");
  before.leaveFree(GiB);
  await lookTwice(before.guard);
  const after = rig({ store: before.store, clock: before.clock });
  await assert.rejects(after.publish("pvc-a"), { kind: "unavailable" });
  assert.equal(after.exported(after.a)?.enabled, false);
});

test("unpublish() of a halted volume ends its epoch: what the node still holds never lands (pitfall: cycle A, B, A)", async () => {
  const { guard, publish, unpublish, leaveFree, exported, tag, a } = rig();
  const { nqn } = (await publish("pvc-a")).target;
  leaveFree(GiB);
  await lookTwice(guard);
  await unpublish("pvc-a", "n1");
  assert.deepEqual([tag(a)?.attachment, tag(a)?.halted], [undefined, false]);
  leaveFree(500 * GiB);
  await guard.look();
  assert.equal(exported(a)?.enabled, false, "it comes back for nobody");
  const second = await publish("pvc-a", "n2");
  assert.notEqual(second.target.nqn, nqn);
  assert.equal(exported(a)?.nqn, second.target.nqn);
});

test("unpublish() from one of two nodes leaves a halted volume halted for the other", async () => {
  const world = rig();
  const publisher = new Publisher(world.options);
  const shared = { id: "pvc-a", mode: "multi-node-multi-writer" } as const;
  for (const node of ["n1", "n2"]) await publisher.publish({ ...shared, node }, world.ctx);
  world.leaveFree(GiB);
  await lookTwice(world.guard);
  await world.unpublish("pvc-a", "n1");
  assert.deepEqual([world.tag(world.a)?.halted, world.exported(world.a)?.enabled], [true, false]);
  world.leaveFree(500 * GiB);
  await world.guard.look();
  assert.deepEqual([world.tag(world.a)?.halted, world.exported(world.a)?.enabled], [false, true]);
});

test("volumes are deleted from a shut pool: that makes room", async () => {
  const { guard, leaveFree, options, store, c, ctx } = rig();
  leaveFree(GiB);
  await lookTwice(guard);
  await deleteVolume("pvc-c", options.appliances, ctx);
  assert.equal(store.hasImage(c), false);
});

test("look() does not put back what an administrator has switched off", async () => {
  const { guard, publish, leaveFree, store, exported, a } = rig();
  await publish("pvc-a");
  const comment = store.commentOf(a) ?? "";
  store.putEntry(a, comment, { ...exported(a), enabled: false });
  leaveFree(GiB);
  await lookTwice(guard);
  leaveFree(500 * GiB);
  await guard.look();
  assert.equal(exported(a)?.enabled, false);
  assert.equal(store.commentOf(a), comment);
});

test("look() cuts off for good who uses a volume that is attached to nobody", async () => {
  const { guard, leaveFree, store, exported, tag, c } = rig();
  const nqn = "nqn.2000-02.com.mikrotik:pvc-c";
  store.putEntry(c, store.commentOf(c) ?? "", { enabled: true, nqn });
  leaveFree(GiB);
  await lookTwice(guard);
  assert.deepEqual(
    [exported(c)?.enabled, tag(c)?.halted, tag(c)?.departure?.node],
    [false, false, "*"],
  );
  leaveFree(500 * GiB);
  await guard.look();
  assert.equal(exported(c)?.enabled, false);
});

test("look() of two replicas comes to one result, whoever is faster", async () => {
  const one = rig();
  const other = rig({ store: one.store, clock: one.clock });
  const { nqn } = (await one.publish("pvc-a")).target;
  await one.publish("pvc-b");
  for (const [free, enabled] of [
    [GiB, false],
    [500 * GiB, true],
  ] as const) {
    one.leaveFree(free);
    for (let looks = 0; looks < 3; looks++)
      await Promise.all([one.guard.look(), other.guard.look()]);
    assert.deepEqual(one.exported(one.a), { enabled, nqn, port: 4420 });
    assert.deepEqual([one.exported(one.b)?.enabled, one.tag(one.b)?.halted], [enabled, !enabled]);
  }
});

test("look() leaves a volume that somebody changes at that moment for the next look", async () => {
  const { guard, publish, unpublish, leaveFree, store, exported, tag, a } = rig();
  await publish("pvc-a");
  leaveFree(GiB);
  await guard.look();
  store.overtakeNext("change", () => unpublish("pvc-a", "n1"));
  await guard.look();
  assert.deepEqual([exported(a)?.enabled, tag(a)?.halted], [false, false]);
});

test("look() goes on past a volume that cannot be changed, and comes back to it", async () => {
  const { guard, publish, leaveFree, store, exported, a, b, log } = rig();
  for (const id of ["pvc-a", "pvc-b"]) await publish(id);
  leaveFree(GiB);
  await guard.look();
  const error = new DriverError("failed-precondition", "RouterOS says no");
  store.failNext({ method: "change", when: "before", error });
  await guard.look();
  assert.deepEqual([exported(a)?.enabled, exported(b)?.enabled], [true, false]);
  assert.ok(log.records.some(({ fields }) => fields["error"] === "RouterOS says no"));
  await guard.look();
  assert.equal(exported(a)?.enabled, false);
});

test("look() ends where the appliance goes away, and goes on from there", async () => {
  const { guard, publish, leaveFree, store, exported, a, b } = rig();
  for (const id of ["pvc-a", "pvc-b"]) await publish(id);
  leaveFree(GiB);
  await guard.look();
  const error = new DriverError("unavailable", "Connection lost");
  store.failNext({ method: "change", when: "after", error });
  await assert.rejects(guard.look(), error);
  assert.deepEqual([exported(a)?.enabled, exported(b)?.enabled], [false, true]);
  await guard.look();
  assert.equal(exported(b)?.enabled, false);
  leaveFree(500 * GiB);
  store.failNext({ method: "change", when: "before", error });
  await assert.rejects(guard.look(), error);
  assert.deepEqual([exported(a)?.enabled, exported(b)?.enabled], [false, false]);
  await guard.look();
  assert.deepEqual([exported(a)?.enabled, exported(b)?.enabled], [true, true]);
});

test("a guard that is started looks until it is disposed of, and says once what keeps it from seeing", async () => {
  const { store, options } = rig();
  const log = new RecordingLog();
  const looks = Promise.withResolvers<void>();
  let sleeps = 0;
  const clock = {
    now: () => 0,
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      sleeps += 1;
      assert.equal(milliseconds, sleeps < 3 ? 10_000 : 30_000);
      if (sleeps < 4) return;
      looks.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
  const error = new DriverError("unavailable", "Connection refused");
  for (let failures = 0; failures < 2; failures++)
    store.failNext({ method: "survey", when: "before", error });
  const guard = new PoolGuard({
    appliance: memoryAppliance({ volumes: store }),
    shutPools: options.shutPools,
    clock,
    log,
  });
  guard.start();
  guard.start();
  await looks.promise;
  await guard[Symbol.asyncDispose]();
  assert.equal(store.calls.filter((call) => call === "survey").length, 4);
  assert.deepEqual(
    log.records.map(({ message, fields }) => [message, fields]),
    [["Cannot see if a pool runs full", { appliance: "rds", error: String(error) }]],
  );
});
