import assert from "node:assert/strict";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Holds } from "#node/host.ts";
import { testContext } from "#test/fakes/context.ts";

/** Two connected volumes of one size that nobody uses, and a host that can hold them. */
export interface HoldsHarness {
  readonly holds: Holds;
  readonly device: BlockDevice;
  /** Of another NQN. */
  readonly other: BlockDevice;
  /** Names of what is stacked on a device. */
  readonly holders: (majorMinor: string) => Promise<readonly string[]>;
}

type Check = (harness: HoldsHarness) => Promise<void>;

const ctx = testContext();

/**
 * What the node's use cases rest on, of a fake device-mapper and of a real one.
 * @param contract - Declares one test.
 */
export function holdsContract(contract: (title: string, check: Check) => void): void {
  contract("create() makes one hold per NQN, which lies on its device until remove()", lives);
  contract("create() refuses an NQN whose hold lies elsewhere, and a device that is held", refuses);
  contract("failQueue() ends queueing; queueAgain() and swap() begin it anew", queues);
  contract("park() lets all wait, on its device, until resume() or swap()", parks);
  contract("swap() takes no device whose number is another's by now", doubts);
  contract("passErrors() leaves the hold as it was, and refuses one that passes them on", passes);
  contract("grow() knows its own size, and never shrinks", grows);
  contract("what is not there is not-found, and may be removed", isAbsent);
}

async function lives({ holds, device, holders }: HoldsHarness): Promise<void> {
  const hold = await holds.create(device, ctx);
  assert.deepEqual(await holds.create(device, ctx), hold);
  assert.equal(hold.nqn, device.nqn);
  assert.equal(hold.sizeBytes, device.sizeBytes);
  assert.equal(hold.suspended, false);
  assert.deepEqual(await holds.find(device.nqn, ctx), hold);
  assert.deepEqual(await holds.list(ctx), [hold]);
  assert.deepEqual(await holders(device.majorMinor), [hold.path.slice("/dev/".length)]);
  assert.deepEqual(await holds.status(device.nqn, ctx), {
    device: device.majorMinor,
    paths: ["active", "active"],
    queueing: true,
  });
  await holds.remove(device.nqn, ctx);
  assert.equal(await holds.find(device.nqn, ctx), undefined);
  assert.deepEqual(await holders(device.majorMinor), []);
}

async function refuses({ holds, device, other }: HoldsHarness): Promise<void> {
  await holds.create(device, ctx);
  const elsewhere = { ...other, nqn: device.nqn };
  await assert.rejects(holds.create(elsewhere, ctx), { kind: "already-exists" });
  const stolen = { ...device, nqn: other.nqn };
  await assert.rejects(holds.create(stolen, ctx), { kind: "failed-precondition" });
  await holds.create(other, ctx);
  await assert.rejects(
    holds.swap(elsewhere, () => true, ctx),
    { kind: "failed-precondition" },
  );
  assert.equal((await holds.status(device.nqn, ctx)).device, device.majorMinor);
}

async function queues({ holds, device }: HoldsHarness): Promise<void> {
  const isQueueing = async () => (await holds.status(device.nqn, ctx)).queueing;
  await holds.create(device, ctx);
  await holds.failQueue(device.nqn, ctx);
  assert.equal(await isQueueing(), false);
  await holds.queueAgain(device.nqn, ctx);
  assert.equal(await isQueueing(), true);
  await holds.failQueue(device.nqn, ctx);
  await holds.swap(device, () => true, ctx);
  assert.equal(await isQueueing(), true);
}

async function parks({ holds, device }: HoldsHarness): Promise<void> {
  const { nqn } = device;
  const isParked = async () => (await holds.find(nqn, ctx))?.suspended;
  await holds.create(device, ctx);
  const before = await holds.status(nqn, ctx);
  for (const end of [
    () => holds.resume(nqn, ctx),
    () => holds.swap(device, () => true, ctx),
    () => holds.failQueue(nqn, ctx),
  ]) {
    for (const _time of [1, 2]) await holds.park(nqn, ctx);
    assert.equal(await isParked(), true);
    assert.deepEqual(await holds.status(nqn, ctx), { ...before, queueing: false });
    await end();
    assert.equal(await isParked(), false);
  }
  assert.deepEqual(await holds.status(nqn, ctx), { ...before, queueing: false });
}

async function passes({ holds, device }: HoldsHarness): Promise<void> {
  const before = await holds.create(device, ctx);
  await holds.passErrors(device.nqn, ctx);
  assert.deepEqual(await holds.find(device.nqn, ctx), before);
  const { paths, queueing } = await holds.status(device.nqn, ctx);
  assert.deepEqual([...paths, queueing], ["active", "active", true]);
  await holds.failQueue(device.nqn, ctx);
  await assert.rejects(holds.passErrors(device.nqn, ctx), { kind: "failed-precondition" });
}

async function grows({ holds, device }: HoldsHarness): Promise<void> {
  await holds.create(device, ctx);
  await holds.grow(device, ctx);
  const smaller = { ...device, sizeBytes: device.sizeBytes / 2 };
  await assert.rejects(holds.grow(smaller, ctx), { kind: "out-of-range" });
  await assert.rejects(
    holds.swap(smaller, () => true, ctx),
    { kind: "failed-precondition" },
  );
  assert.equal((await holds.find(device.nqn, ctx))?.sizeBytes, device.sizeBytes);
}

async function doubts({ holds, device, other }: HoldsHarness): Promise<void> {
  await holds.create(device, ctx);
  const elsewhere = { ...other, nqn: device.nqn };
  await assert.rejects(
    holds.swap(elsewhere, () => false, ctx),
    { kind: "unavailable" },
  );
  assert.deepEqual(await holds.status(device.nqn, ctx), {
    device: device.majorMinor,
    paths: ["active", "active"],
    queueing: true,
  });
  await holds.create(other, ctx);
}

async function isAbsent({ holds, device }: HoldsHarness): Promise<void> {
  assert.deepEqual(await holds.list(ctx), []);
  await holds.remove(device.nqn, ctx);
  for (const call of [
    () => holds.status(device.nqn, ctx),
    () => holds.swap(device, () => true, ctx),
    () => holds.grow(device, ctx),
    () => holds.resume(device.nqn, ctx),
    () => holds.reinstate(device.nqn, ctx),
    () => holds.passErrors(device.nqn, ctx),
    () => holds.failQueue(device.nqn, ctx),
    () => holds.park(device.nqn, ctx),
    () => holds.queueAgain(device.nqn, ctx),
  ])
    await assert.rejects(call, { kind: "not-found" });
}
