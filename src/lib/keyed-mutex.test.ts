import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyedMutex } from "./keyed-mutex.ts";

test("KeyedMutex.tryAcquire() gives a key to one holder at a time, and each key on its own", () => {
  const locks = new KeyedMutex();
  {
    using first = locks.tryAcquire("a");
    assert.ok(first);
    assert.equal(locks.tryAcquire("a"), undefined);
    using other = locks.tryAcquire("b");
    assert.ok(other);
  }
  using again = locks.tryAcquire("a");
  assert.ok(again);
});

test("KeyedMutex.tryAcquire() gives a lock that cannot release somebody else's", () => {
  const locks = new KeyedMutex();
  const first = locks.tryAcquire("a");
  first?.[Symbol.dispose]();
  using _second = locks.tryAcquire("a");
  first?.[Symbol.dispose]();
  assert.equal(locks.tryAcquire("a"), undefined);
});
