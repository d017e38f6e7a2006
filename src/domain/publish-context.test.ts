import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Nqn } from "./nqn.ts";
import { decodePublishContext, encodePublishContext } from "./publish-context.ts";

const context = {
  target: {
    nqn: "nqn.2000-02.com.mikrotik:pvc-abc.1-k3v9x0qa" as Nqn,
    addresses: ["10.42.67.1", "fd00::1"],
    port: 4420,
  },
  minSizeBytes: 1024 ** 3,
};

test("encodePublishContext() uses the keys that nodes read", () => {
  assert.deepEqual(encodePublishContext(context), {
    nvmeAddress: "10.42.67.1,fd00::1",
    nvmePort: "4420",
    nqn: "nqn.2000-02.com.mikrotik:pvc-abc.1-k3v9x0qa",
    minSizeBytes: "1073741824",
  });
});

test("decodePublishContext() gives back what encodePublishContext() was given", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("rds.lan")), { minLength: 1 }),
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      (addresses, port, minSizeBytes) => {
        const given = { target: { ...context.target, addresses, port }, minSizeBytes };
        assert.deepEqual(decodePublishContext(encodePublishContext(given)), given);
      },
    ),
  );
});

test("decodePublishContext() reads what a volume was copied from, and does without it", () => {
  const copied = { ...context, source: "snap-7" };
  assert.equal(encodePublishContext(copied)["source"], "snap-7");
  assert.deepEqual(decodePublishContext(encodePublishContext(copied)), copied);
  const empty = { ...encodePublishContext(context), source: "" };
  assert.deepEqual(decodePublishContext(empty), context);
});

test("decodePublishContext() names the field that is missing", () => {
  for (const key of Object.keys(encodePublishContext(context))) {
    const { [key]: _, ...rest } = encodePublishContext(context);
    assert.throws(() => decodePublishContext(rest), {
      kind: "invalid-argument",
      message: new RegExp(`"${key}" is missing`),
    });
  }
});

test("decodePublishContext() names the field that is wrong, and its value", () => {
  const wrong = {
    nvmeAddress: ["10.0.0.1,", "10.0.0.1 -x", "300.0.0.1"],
    nvmePort: ["0", "65536", "-1", "44.2", "0x10", " 4420"],
    nqn: ["nqn.x", "nqn.2000-02.com.mikrotik:a/../b", "nqn.2000-02.com.mikrotik:a b"],
    minSizeBytes: ["0", "1e9", "9007199254740992", "99999999999999999999"],
  };
  for (const [key, values] of Object.entries(wrong))
    for (const value of values) {
      const given = { ...encodePublishContext(context), [key]: value };
      assert.throws(
        () => decodePublishContext(given),
        (error: Error) => error.message.includes(`${key}="${value}"`),
        `${key}=${value}`,
      );
    }
});
