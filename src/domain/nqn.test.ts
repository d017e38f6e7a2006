import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNqn, isNqnOf, nqnFor } from "./nqn.ts";
import type { Slot } from "./volume-id.ts";

test("nqnFor() puts the epoch behind the slot", () => {
  const nqn = nqnFor("pvc-a" as Slot, { counter: 3, nonce: "k3v9x0qa" });
  assert.equal(nqn, "nqn.2000-02.com.mikrotik:pvc-a.3-k3v9x0qa");
});

test("nqnFor() makes a valid NQN for every slot, and another for each epoch", () => {
  const slot = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/).map((text) => text as Slot);
  const epoch = fc.record({
    counter: fc.integer({ min: 1, max: 10 ** 15 - 1 }),
    nonce: fc.stringMatching(/^[a-z0-9]{8}$/),
  });
  fc.assert(
    fc.property(slot, epoch, epoch, (name, a, b) => {
      assert.equal(isNqn(nqnFor(name, a)), true);
      assert.equal(isNqnOf(nqnFor(name, a), name), true);
      assert.equal(isNqnOf(nqnFor(`${name}.${a.counter}-${a.nonce}` as Slot, b), name), false);
      const same = a.counter === b.counter && a.nonce === b.nonce;
      assert.equal(nqnFor(name, a) === nqnFor(name, b), same);
    }),
  );
});

test("isNqn() refuses what is not safe as an argument or a file name", () => {
  const wrong = [
    "",
    "nqn",
    "nqn.2000-02.",
    "nqn.2000-02.a/b",
    "nqn.2000-02.a b",
    "nqn.2000-02.a\n",
  ];
  for (const text of [
    ...wrong,
    "-n nqn.2000-02.a",
    "nqn.00-02.a",
    `nqn.2000-02.${"a".repeat(212)}`,
  ])
    assert.equal(isNqn(text), false, text);
  assert.equal(isNqn("nqn.2014-08.org.nvmexpress:uuid:3f1c9e60"), true);
  assert.equal(isNqn(`nqn.2000-02.${"a".repeat(211)}`), true);
});
