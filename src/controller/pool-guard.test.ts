import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { putVolume } from "#test/fakes/controller-rig.ts";
import { a, b, c, guardedRig } from "#test/fakes/guarded-rig.ts";
import { memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { PoolGuard } from "./pool-guard.ts";

const limits = { reserve: 0.1, emergency: 0.02, overprovision: 1 };

function blind({ store }: ReturnType<typeof guardedRig>): void {
  const survey = store.survey.bind(store);
  store.survey = async () => {
    const seen = await survey();
    return { ...seen, pool: { ...seen.pool, sizeBytes: 0, freeBytes: 0 } };
  };
}

test("look() takes all exports of a pool below its mark off, and keeps names and attachments (a full pool destroys file systems)", async () => {
  const { guard, publish, leaveFree, exported, tag, log } = guardedRig();
  const [first, second] = [await publish(a), await publish(b, "n2")];
  leaveFree(20 * GiB);
  assert.equal(await guard.look(), 1_000);
  assert.equal(exported(a)?.enabled, true, "one reading alone is no reason");
  assert.equal(await guard.look(), 5_000);
  assert.deepEqual(exported(a), { enabled: false, nqn: first.target.nqn, port: 4420 });
  assert.deepEqual(exported(b), { enabled: false, nqn: second.target.nqn, port: 4420 });
  assert.deepEqual([tag(a)?.halted, tag(b)?.halted, tag(c)?.halted], [true, true, false]);
  assert.deepEqual([tag(a)?.attachment?.nodes, tag(b)?.attachment?.nodes], [["n1"], ["n2"]]);
  await guard.look();
  assert.deepEqual(
    log.records.filter(({ level }) => level === "error").map(({ fields }) => fields),
    [{ appliance: "rds", pool: "pool", free: "20 GiB", size: "1 TiB", exports: 2, openAt: "4%" }],
  );
});

test("look() puts the exports back with twice the room, under the same names", async () => {
  const { guard, publish, leaveFree, settle, exported, tag, options } = guardedRig();
  const { nqn } = (await publish(a)).target;
  leaveFree(20 * GiB);
  await settle();
  leaveFree(40 * GiB);
  assert.equal(await guard.look(), 5_000);
  assert.equal(exported(a)?.enabled, false, "between the marks nothing changes");
  leaveFree(500 * GiB);
  assert.equal(await guard.look(), 1_000);
  assert.equal(exported(a)?.enabled, false, "one reading alone is no reason");
  assert.equal(await guard.look(), 1_000);
  assert.deepEqual(exported(a), { enabled: true, nqn, port: 4420 });
  assert.deepEqual([tag(a)?.halted, tag(b)?.halted, exported(b)?.enabled], [false, false, false]);
  assert.ok(options.shutPools.has("rds"), "until a look has seen that nothing waits");
  assert.equal(await guard.look(), 30_000);
  assert.equal(options.shutPools.size, 0);
  assert.deepEqual((await publish(a)).target.nqn, nqn);
});

test("look() takes one wrong reading for what it is, in both directions", async () => {
  const { guard, publish, leaveFree, settle, exported, store } = guardedRig();
  await publish(a);
  const { length } = store.calls.filter((call) => call === "change");
  for (const [wrong, right] of [
    [GiB, 500 * GiB],
    [GiB, 500 * GiB],
  ] as const) {
    leaveFree(wrong);
    await guard.look();
    leaveFree(right);
    assert.equal(await guard.look(), 30_000);
  }
  assert.equal(store.calls.filter((call) => call === "change").length, length);
  leaveFree(GiB);
  await settle();
  for (let flips = 0; flips < 2; flips++) {
    leaveFree(500 * GiB);
    await guard.look();
    leaveFree(GiB);
    await guard.look();
  }
  assert.equal(exported(a)?.enabled, false);
});

test("look() puts few exports back at once, and takes them off again when what waited fills the pool", async () => {
  const { guard, publish, leaveFree, settle, store } = guardedRig();
  const slots = Array.from({ length: 20 }, (_, index) => `pvc-${index}` as Slot);
  for (const slot of slots) {
    putVolume(store, slot, { sizeBytes: MiB });
    await publish(slot);
  }
  const on = () => slots.filter((slot) => store.peek(slot)?.exported.enabled).length;
  leaveFree(GiB);
  await settle();
  assert.equal(on(), 0);
  leaveFree(45 * GiB);
  await guard.look();
  await guard.look();
  assert.equal(on(), 8);
  leaveFree(39 * GiB);
  await settle();
  assert.equal(on(), 0);
  leaveFree(500 * GiB);
  await settle();
  assert.equal(on(), 20);
});

test("look() opens a pool that has room, and puts back all the exports it can, past some that it cannot", async () => {
  const { guard, publish, leaveFree, settle, store, options } = guardedRig();
  const slots = Array.from({ length: 20 }, (_, index) => `pvc-${index}` as Slot);
  for (const slot of slots) {
    putVolume(store, slot, { sizeBytes: MiB });
    await publish(slot);
  }
  leaveFree(GiB);
  await settle();
  const broken = new Set(slots.slice(0, 9));
  const change = store.change.bind(store);
  store.change = async (volume, wanted) => {
    if (broken.has(volume.slot)) throw new DriverError("unavailable", "RouterOS cannot open it");
    return await change(volume, wanted);
  };
  leaveFree(500 * GiB);
  for (let looks = 0; looks < 8; looks++) await guard.look();
  const off = slots.filter((slot) => !store.peek(slot)?.exported.enabled);
  assert.deepEqual(off, [...broken]);
  assert.equal(options.shutPools.size, 0);
  leaveFree(30 * GiB);
  for (let looks = 0; looks < 8; looks++) await guard.look();
  assert.equal(options.shutPools.size, 0, "nor does it shut again between the marks");
  assert.deepEqual(
    slots.filter((slot) => !store.peek(slot)?.exported.enabled),
    [...broken],
  );
  leaveFree(GiB);
  await settle();
  assert.deepEqual(
    slots.filter((slot) => store.peek(slot)?.exported.enabled),
    [],
  );
});

test("look() keeps shut between the marks what another replica has shut, however long it was open before", async () => {
  const one = guardedRig();
  await one.publish(a);
  const other = guardedRig({ store: one.store, clock: one.clock });
  await other.settle();
  one.leaveFree(GiB);
  await one.settle();
  one.leaveFree(30 * GiB);
  await other.settle();
  assert.deepEqual([one.exported(a)?.enabled, one.tag(a)?.halted], [false, true]);
});

test("look() cuts nobody off on an appliance that does not tell how much is free", async () => {
  const rig = guardedRig();
  await rig.publish(a);
  blind(rig);
  for (let looks = 0; looks < 3; looks++)
    await assert.rejects(rig.guard.look(), {
      kind: "unavailable",
      message:
        'Cannot guard appliance "rds": the appliance does not tell how much of pool "pool" is free',
    });
  assert.equal(rig.exported(a)?.enabled, true);
});

test("look() without a mark puts back what was taken off, whatever the appliance tells", async () => {
  const before = guardedRig();
  await before.publish(a);
  before.leaveFree(GiB);
  await before.settle();
  const { store, clock } = before;
  const appliance = { limits: { ...limits, emergency: 0 } };
  const after = guardedRig({ store, clock, appliance });
  blind(after);
  await after.settle();
  assert.deepEqual([after.exported(a)?.enabled, after.tag(a)?.halted], [true, false]);
});

test("look() of a controller that starts between the marks keeps shut what is shut", async () => {
  const before = guardedRig();
  await before.publish(a);
  before.leaveFree(GiB);
  await before.settle();
  before.leaveFree(30 * GiB);
  const after = guardedRig({ store: before.store, clock: before.clock });
  await assert.rejects(after.publish(a), {
    kind: "unavailable",
    message:
      'Cannot publish volume "pvc-a" to "n1": its export was taken off when the pool of appliance "rds" ran full, and is not back yet',
  });
  await after.settle();
  assert.equal(after.exported(a)?.enabled, false);
  await assert.rejects(after.publish(b), { message: /until 4% of it is free/ });
});

test("look() of two replicas comes to one result, whoever is faster", async () => {
  const one = guardedRig();
  const other = guardedRig({ store: one.store, clock: one.clock });
  const { nqn } = (await one.publish(a)).target;
  await one.publish(b);
  for (const [free, enabled] of [
    [GiB, false],
    [500 * GiB, true],
  ] as const) {
    one.leaveFree(free);
    for (let looks = 0; looks < 6; looks++)
      await Promise.all([one.guard.look(), other.guard.look()]);
    assert.deepEqual(one.exported(a), { enabled, nqn, port: 4420 });
    assert.deepEqual([one.exported(b)?.enabled, one.tag(b)?.halted], [enabled, !enabled]);
  }
});

test("a guard that is started looks until it is disposed of, and says once what keeps it from seeing", async () => {
  const { store, options } = guardedRig();
  const log = new RecordingLog();
  const looks = Promise.withResolvers<void>();
  const sleeps: number[] = [];
  const clock = {
    now: () => new Date(0),
    elapsed: () => 0,
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      sleeps.push(milliseconds);
      if (sleeps.length < 5) return;
      looks.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
  const error = new DriverError("unavailable", "Connection refused");
  for (let failures = 0; failures < 2; failures++)
    store.failNext({ method: "survey", when: "before", error });
  const appliance = memoryAppliance({ volumes: store });
  const { shutPools } = options;
  const guard = new PoolGuard({ appliance, shutPools, clock, log });
  guard.start();
  guard.start();
  await looks.promise;
  await guard[Symbol.asyncDispose]();
  assert.deepEqual(sleeps, [10_000, 10_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(
    log.records.map(({ message, fields }) => [message, fields]),
    [["Cannot keep a pool from running full", { appliance: "rds", error: String(error) }]],
  );
});
