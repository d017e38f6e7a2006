import assert from "node:assert/strict";
import test from "node:test";
import { Turns } from "./turns.ts";

const { signal } = new AbortController();

/** Lets everything that can go on do so. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("Turns.take() gives as many places as there are, the others in order of arrival", async () => {
  const turns = new Turns(2);
  const places = [await turns.take(signal), await turns.take(signal)];
  const order: number[] = [];
  const later = [3, 4].map(async (caller) => {
    const place = await turns.take(signal);
    order.push(caller);
    return place;
  });
  await settle();
  assert.deepEqual([order, turns.waiting], [[], 2]);
  places[1]?.[Symbol.dispose]();
  await settle();
  assert.deepEqual([order, turns.waiting], [[3], 1]);
  places[0]?.[Symbol.dispose]();
  for (const place of await Promise.all(later)) place[Symbol.dispose]();
  assert.deepEqual(order, [3, 4]);
  for (const _ of places) await turns.take(signal);
});

test("Turns.take() lets a caller that leaves give its turn up, with its own reason", async () => {
  const turns = new Turns(1);
  const place = await turns.take(signal);
  const leaving = new AbortController();
  const left = turns.take(leaving.signal);
  const next = turns.take(signal);
  leaving.abort(new Error("the call ended"));
  await assert.rejects(left, /the call ended/);
  place[Symbol.dispose]();
  (await next)[Symbol.dispose]();
  await assert.rejects(turns.take(leaving.signal), /the call ended/);
  assert.equal(turns.waiting, 0);
});
