import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { MemoryStageRecords } from "#test/fakes/node/memory-stage-records.ts";
import { NodeWorld } from "#test/fakes/node/node-world.ts";
import { RememberedRecords } from "./remembered-records.ts";

const ctx = testContext();

function rig() {
  let reads = 0;
  const inner = new MemoryStageRecords();
  const list = inner.list.bind(inner);
  inner.list = async (context) => {
    reads++;
    return await list(context);
  };
  const world = new NodeWorld();
  const { minSizeBytes: _size, ...wanted } = world.stageRequest(world.attach("pvc-a"));
  const record = { ...wanted, phase: "staged" } as const;
  return { inner, record, records: new RememberedRecords(inner), reads: () => reads };
}

async function volumesOf(records: RememberedRecords) {
  return (await records.list(ctx)).volumes;
}

test("list() reads once, and follows what is saved and removed", async () => {
  const { records, record, reads } = rig();
  const other = { ...record, volumeId: "pvc-b" };
  for (let look = 0; look < 3; look++) assert.deepEqual(await volumesOf(records), []);
  await records.save(record, ctx);
  await records.save(other, ctx);
  await records.save({ ...record, blockBytes: 512 }, ctx);
  assert.deepEqual(await volumesOf(records), [other, { ...record, blockBytes: 512 }]);
  await records.remove("pvc-a", ctx);
  await records.remove("pvc-a", ctx);
  assert.deepEqual(await volumesOf(records), [other]);
  assert.equal(reads(), 1);
});

test("list() forgets what was read while a record changed", async () => {
  const { inner, records, record, reads } = rig();
  const { list, save } = inner;
  const [listed, saved] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  inner.list = async (context) => {
    const before = await list(context);
    await listed.promise;
    return before;
  };
  inner.save = async (...args) => {
    await save.apply(inner, args);
    await saved.promise;
  };
  const early = volumesOf(records);
  const saving = records.save(record, ctx);
  saved.resolve();
  await saving;
  const later = volumesOf(records);
  listed.resolve();
  assert.deepEqual(await early, []);
  assert.deepEqual(await later, [record]);
  assert.deepEqual(await volumesOf(records), [record]);
  assert.equal(reads(), 2);
});

test("list() follows a change that ends after what was read while it went on", async () => {
  const { inner, records, record } = rig();
  const { save } = inner;
  const saved = Promise.withResolvers<void>();
  inner.save = async (...args) => {
    await saved.promise;
    await save.apply(inner, args);
  };
  const saving = records.save(record, ctx);
  assert.deepEqual(await volumesOf(records), []);
  saved.resolve();
  await saving;
  assert.deepEqual(await volumesOf(records), [record]);
});

test("list() reads again after a save that failed, for nobody knows what it did", async () => {
  const { inner, records, record } = rig();
  await records.list(ctx);
  inner.save = async () => {
    inner.volumes.set(record.volumeId, record);
    throw new Error("no space");
  };
  await assert.rejects(records.save(record, ctx));
  assert.deepEqual(await volumesOf(records), [record]);
});

test("list() tries again after a failure", async () => {
  const { inner, records } = rig();
  const { list } = inner;
  inner.list = async () => {
    throw new Error("damaged");
  };
  await assert.rejects(records.list(ctx));
  inner.list = list;
  assert.deepEqual(await volumesOf(records), []);
});

test("list() reads again while a record is damaged, for somebody may put it right", async () => {
  const { inner, records, record, reads } = rig();
  await inner.save(record, ctx);
  inner.damaged.add("pvc-a");
  for (let look = 0; look < 3; look++) assert.equal((await records.list(ctx)).damaged.length, 1);
  assert.equal(reads(), 3);
  inner.damaged.clear();
  for (let look = 0; look < 3; look++) assert.deepEqual(await volumesOf(records), [record]);
  assert.equal(reads(), 4);
});

test("find() always reads", async () => {
  const { inner, records, record } = rig();
  await records.list(ctx);
  inner.volumes.set("pvc-a", record);
  assert.deepEqual(await records.find("pvc-a", ctx), record);
});

test("list() forgets a record that somebody has taken away, once it was looked for", async () => {
  const { inner, records, record } = rig();
  await records.list(ctx);
  await records.save(record, ctx);
  inner.volumes.delete("pvc-a");
  assert.equal(await records.find("pvc-a", ctx), undefined);
  assert.deepEqual(await volumesOf(records), []);
});

test("list() tells of a record that was away and was put back, once it was looked for", async () => {
  const { inner, records, record } = rig();
  const back = { ...record, volumeId: "pvc-b" };
  await records.save(record, ctx);
  await records.list(ctx);
  inner.volumes.set("pvc-b", back);
  await records.find("pvc-b", ctx);
  assert.deepEqual(await volumesOf(records), [record, back]);
});
