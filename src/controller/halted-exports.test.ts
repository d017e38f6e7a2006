import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import { GiB } from "#lib/bytes.ts";
import { turn } from "#test/fakes/call-plan.ts";
import { a, b, c, guardedRig } from "#test/fakes/guarded-rig.ts";
import { MemoryVolumeStore } from "#test/fakes/memory-volume-store.ts";
import { deleteVolume } from "./delete-volume.ts";
import { Publisher } from "./publish-volume.ts";

const plenty = 500 * GiB;

/** A rig whose pool has run full while `a` was attached to "n1" and `b` to "n2". */
async function shut(options?: Parameters<typeof guardedRig>[0]) {
  const rig = guardedRig(options);
  const { nqn } = (await rig.publish(a)).target;
  await rig.publish(b, "n2");
  rig.leaveFree(GiB);
  await rig.settle();
  return { ...rig, nqn };
}

test("publish() neither attaches nor puts an export back while the pool is shut, and says what to do", async () => {
  const { publish, exported, tag } = await shut();
  for (const [id, node] of [
    [a, "n1"],
    [c, "n2"],
  ] as const)
    await assert.rejects(publish(id, node), {
      kind: "unavailable",
      message: `Cannot publish volume "${id}" to "${node}": the pool of appliance "rds" has run full, and its exports are off until 4% of it is free; delete snapshots or volumes`,
    });
  assert.deepEqual([exported(a)?.enabled, exported(c)?.enabled], [false, false]);
  assert.equal(tag(c)?.attachment, undefined);
});

test("unpublish() of a halted volume ends its epoch: what the node still holds never lands (pitfall: cycle A, B, A)", async () => {
  const { nqn, settle, publish, unpublish, leaveFree, exported, tag } = await shut();
  await unpublish(a, "n1");
  assert.deepEqual([tag(a)?.attachment, tag(a)?.halted], [undefined, false]);
  leaveFree(plenty);
  await settle();
  assert.equal(exported(a)?.enabled, false, "it comes back for nobody");
  const second = await publish(a, "n2");
  assert.notEqual(second.target.nqn, nqn);
  assert.equal(exported(a)?.nqn, second.target.nqn);
});

test("unpublish() from one of two nodes leaves a halted volume halted for the other", async () => {
  const world = guardedRig();
  const publisher = new Publisher(world.options);
  const shared = { id: a, mode: "multi-node-multi-writer" } as const;
  for (const node of ["n1", "n2"]) await publisher.publish({ ...shared, node }, world.ctx);
  world.leaveFree(GiB);
  await world.settle();
  await world.unpublish(a, "n1");
  assert.deepEqual([world.tag(a)?.halted, world.exported(a)?.enabled], [true, false]);
  world.leaveFree(plenty);
  await world.settle();
  assert.deepEqual([world.tag(a)?.halted, world.exported(a)?.enabled], [false, true]);
});

for (const change of ["taken off", "put back"] as const)
  test(`unpublish() wins over a guard in another replica by which an export is ${change}, also where RouterOS does not compare and set in one step`, async () => {
    for (let delay = 0; delay < 8; delay++) {
      const store = new MemoryVolumeStore({ atomic: false });
      const one = guardedRig({ store });
      const other = guardedRig({ store, clock: one.clock });
      await one.publish(a);
      const rigs = [one, other];
      one.leaveFree(GiB);
      for (const { guard } of rigs) await guard.look();
      if (change === "put back") {
        for (const { settle } of rigs) await settle();
        one.leaveFree(plenty);
        for (const { guard } of rigs) await guard.look();
      }
      const unpublish = async () => {
        for (let turns = 0; turns < delay; turns++) await turn();
        await one.unpublish(a, "n1");
      };
      const unpublished = unpublish();
      await Promise.all([other.guard.look(), unpublished]);
      await other.settle();
      assert.equal(one.tag(a)?.attachment, undefined, `${delay} turns later`);
      assert.equal(one.exported(a)?.enabled, false);
    }
  });

test("volumes are deleted from a shut pool: that makes room", async () => {
  const { options, store, ctx } = await shut();
  await deleteVolume(c, options.appliances, ctx);
  assert.equal(store.hasImage(c), false);
});

test("putBack() leaves off what an administrator has switched off, and ends who is attached to nobody", async () => {
  const { guard, publish, leaveFree, settle, store, exported, tag } = guardedRig();
  await publish(a);
  const comment = store.commentOf(a) ?? "";
  store.putEntry(a, comment, { ...exported(a), enabled: false });
  const nqn = "nqn.2000-02.com.mikrotik:pvc-c";
  store.putEntry(c, store.commentOf(c) ?? "", { enabled: true, nqn });
  leaveFree(GiB);
  await settle();
  assert.deepEqual(
    [exported(c)?.enabled, tag(c)?.halted, tag(c)?.departure?.node],
    [false, false, "*"],
  );
  leaveFree(plenty);
  await settle();
  await guard.look();
  assert.deepEqual([exported(a)?.enabled, exported(c)?.enabled], [false, false]);
  assert.equal(store.commentOf(a), comment);
});

test("putBack() goes on with a volume that somebody has exported meanwhile, also under another name", async () => {
  for (const nqn of [undefined, "nqn.2000-02.com.mikrotik:by-hand"]) {
    const rig = await shut();
    const { store, exported, tag } = rig;
    const found = { ...exported(a), enabled: true, nqn: nqn ?? rig.nqn };
    store.putEntry(a, store.commentOf(a) ?? "", found);
    rig.leaveFree(plenty);
    await rig.settle();
    assert.deepEqual(exported(a), { enabled: true, nqn: rig.nqn, port: 4420 });
    assert.equal(tag(a)?.halted, false);
  }
});

test("putBack() keeps the port at which nodes look for a volume, whatever the configuration says now", async () => {
  const before = await shut();
  const { store, clock } = before;
  const appliance = { data: { addresses: ["10.42.67.1"], port: 4421 } };
  const after = guardedRig({ store, clock, appliance });
  after.leaveFree(plenty);
  await after.settle();
  assert.deepEqual(after.exported(a), { enabled: true, nqn: before.nqn, port: 4420 });
});

test("putBack() forgets no volume whose export was not seen to be on", async () => {
  const { guard, settle, leaveFree, store, exported, tag } = await shut();
  leaveFree(plenty);
  await guard.look();
  const error = new DriverError("unavailable", "its export is still off after it was turned on");
  store.failNext({ method: "change", when: "before", error });
  await guard.look();
  assert.deepEqual([tag(a)?.halted, exported(a)?.enabled], [true, false]);
  assert.deepEqual([tag(b)?.halted, exported(b)?.enabled], [false, true], "others go on");
  store.failNext({ method: "change", when: "after", error });
  await guard.look();
  assert.deepEqual([tag(a)?.halted, exported(a)?.enabled], [true, true]);
  await settle();
  assert.deepEqual([tag(a)?.halted, exported(a)?.enabled], [false, true]);
});

for (const kind of ["unavailable", "failed-precondition", "unknown-outcome"] as const)
  test(`takeOff() goes on past a volume whose change is ${kind}, and comes back to it`, async () => {
    const { guard, publish, leaveFree, store, exported, log } = guardedRig();
    for (const slot of [a, b]) await publish(slot);
    leaveFree(GiB);
    const error = new DriverError(kind, "RouterOS says no");
    for (let looks = 0; looks < 3; looks++) {
      if (looks > 0) store.failNext({ method: "change", when: "before", error });
      await guard.look();
      assert.equal(exported(a)?.enabled, true);
      assert.equal(exported(b)?.enabled, looks === 0);
    }
    assert.ok(log.records.some(({ fields }) => fields["error"] === "RouterOS says no"));
    await guard.look();
    assert.equal(exported(a)?.enabled, false);
  });

test("takeOff() and putBack() end where the appliance goes away, and go on from there", async () => {
  const error = new DriverError("unavailable", "Connection lost");
  let away = false;
  const ready = async () => {
    if (away) throw error;
  };
  const { guard, publish, settle, leaveFree, store, exported } = guardedRig({
    appliance: { ready },
  });
  for (const slot of [a, b]) await publish(slot);
  const on = () => [exported(a)?.enabled, exported(b)?.enabled];
  leaveFree(GiB);
  await guard.look();
  away = true;
  store.failNext({ method: "change", when: "after", error });
  await assert.rejects(guard.look(), error);
  assert.deepEqual(on(), [false, true]);
  away = false;
  await settle();
  assert.deepEqual(on(), [false, false]);
  leaveFree(plenty);
  await guard.look();
  away = true;
  store.failNext({ method: "change", when: "before", error });
  await assert.rejects(guard.look(), error);
  assert.deepEqual(on(), [false, false]);
  away = false;
  await settle();
  assert.deepEqual(on(), [true, true]);
});

test("takeOff() loses no word of a comment that is as long as it may be", async () => {
  const { publish, leaveFree, settle, store, tag } = guardedRig();
  const volume = store.peek(a);
  assert.ok(volume);
  const claim = "x".repeat(63);
  await store.change(volume, {
    tag: { ...volume.tag, pv: `pvc-${claim}`, pvc: `${claim}/${claim}` },
  });
  await publish(a);
  const { pv, pvc } = tag(a) ?? {};
  leaveFree(GiB);
  await settle();
  assert.deepEqual([tag(a)?.halted, tag(a)?.pv, tag(a)?.pvc], [true, pv, pvc]);
});
