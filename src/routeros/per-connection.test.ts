import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { PerConnection } from "./per-connection.ts";

test("PerConnection.get() loads once per connection", async () => {
  const link: { generation: number | undefined } = { generation: 1 };
  let loads = 0;
  const known = new PerConnection(link, async () => ++loads);
  assert.deepEqual([await known.get(testContext()), await known.get(testContext())], [1, 1]);
  link.generation = 2;
  assert.equal(await known.get(testContext()), 2);
  link.generation = undefined;
  assert.equal(await known.get(testContext()), 3);
});

test("PerConnection.get() lets others wait for the one that loads", async () => {
  let loads = 0;
  const known = new PerConnection({ generation: 1 }, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return ++loads;
  });
  const values = await Promise.all([1, 2, 3].map(() => known.get(testContext())));
  assert.deepEqual(values, [1, 1, 1]);
});

test("PerConnection.get() lets the next try when the first fails, and remembers no failure", async () => {
  let loads = 0;
  const known = new PerConnection({ generation: 1 }, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    loads += 1;
    if (loads === 1) throw new Error("lost");
    return loads;
  });
  const [first, second] = await Promise.allSettled([1, 2].map(() => known.get(testContext())));
  assert.equal(first?.status, "rejected");
  assert.deepEqual(second, { status: "fulfilled", value: 2 });
});

test("PerConnection.get() goes on loading when its caller leaves, for those who come after", async () => {
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  let loads = 0;
  const known = new PerConnection({ generation: 1 }, async ({ signal }) => {
    await loaded;
    signal.throwIfAborted();
    return ++loads;
  });
  const hasty = new AbortController();
  const first = assert.rejects(known.get(testContext({ signal: hasty.signal })), /gone/);
  hasty.abort(new Error("gone"));
  await first;
  await assert.rejects(known.get(testContext({ signal: hasty.signal })), /gone/);
  resolve();
  assert.equal(await known.get(testContext()), 1);
});

test("PerConnection.forget() makes the next get() load again", async () => {
  let loads = 0;
  const known = new PerConnection({ generation: 1 }, async () => ++loads);
  await known.get(testContext());
  known.forget();
  assert.equal(await known.get(testContext()), 2);
});
