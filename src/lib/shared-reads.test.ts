import assert from "node:assert/strict";
import test from "node:test";
import type { Context } from "#lib/context.ts";
import { testContext } from "#test/fakes/context.ts";
import { SharedReads } from "./shared-reads.ts";

/** Reads whose sending and answering the test decides. */
class Source {
  readonly reads: { ctx: Context; sent: () => void; answer: (text: string) => void }[] = [];
  readonly read = (ctx: Context, sent: () => void): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.reads.push({ ctx, sent, answer: resolve });
    return promise;
  };
}

test("SharedReads.get() answers all who ask the same before it is sent by one read", async () => {
  const [reads, source] = [new SharedReads<string>(), new Source()];
  const results = [1, 2, 3].map(() => reads.get("disks", source.read, testContext()));
  assert.equal(source.reads.length, 1);
  source.reads[0]?.sent();
  source.reads[0]?.answer("rows");
  assert.deepEqual(await Promise.all(results), ["rows", "rows", "rows"]);
});

test("SharedReads.get() reads anew for who asks after it was sent: the answer might be older", async () => {
  const [reads, source] = [new SharedReads<string>(), new Source()];
  const early = reads.get("disks", source.read, testContext());
  source.reads[0]?.sent();
  const late = reads.get("disks", source.read, testContext());
  source.reads[0]?.answer("old");
  source.reads[1]?.answer("new");
  assert.deepEqual(await Promise.all([early, late]), ["old", "new"]);
});

test("SharedReads.get() keeps different questions apart", async () => {
  const [reads, source] = [new SharedReads<string>(), new Source()];
  const results = ["a", "b"].map((key) => reads.get(key, source.read, testContext()));
  source.reads.forEach(({ answer }, index) => {
    answer(String(index));
  });
  assert.deepEqual(await Promise.all(results), ["0", "1"]);
});

test("SharedReads.get() lets one caller leave without harm to the others", async () => {
  const [reads, source] = [new SharedReads<string>(), new Source()];
  const controller = new AbortController();
  const leaving = reads.get("disks", source.read, testContext({ signal: controller.signal }));
  const staying = reads.get("disks", source.read, testContext());
  controller.abort(new Error("gone"));
  await assert.rejects(leaving, /gone/);
  assert.equal(source.reads[0]?.ctx.signal.aborted, false);
  source.reads[0]?.answer("rows");
  assert.equal(await staying, "rows");
});

test("SharedReads.get() gives the read up when the last caller has left", async () => {
  const [reads, source] = [new SharedReads<string>(), new Source()];
  const controller = new AbortController();
  const leaving = reads.get("disks", source.read, testContext({ signal: controller.signal }));
  controller.abort(new Error("gone"));
  await assert.rejects(leaving, /gone/);
  assert.equal(source.reads[0]?.ctx.signal.aborted, true);
  const next = reads.get("disks", source.read, testContext());
  source.reads[1]?.answer("rows");
  assert.equal(await next, "rows");
});

test("SharedReads.get() hands a failure to all who share, and forgets it", async () => {
  const reads = new SharedReads<string>();
  const fail = async () => Promise.reject(new Error("lost"));
  const results = [1, 2].map(() => reads.get("disks", fail, testContext()));
  for (const result of results) await assert.rejects(result, /lost/);
  assert.equal(await reads.get("disks", async () => "rows", testContext()), "rows");
});
