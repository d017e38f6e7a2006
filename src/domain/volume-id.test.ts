import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatVolumeId, isApplianceName, parseVolumeId, slotForName } from "./volume-id.ts";

const uuidName = "pvc-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11";

test("slotForName() keeps the bits of a provisioner's UUID", () => {
  assert.equal(slotForName(uuidName), "pvc-h4oj4yekkvgdthj6bvfg6d4kce");
  assert.equal(slotForName("pvc-00000000-0000-0000-0000-000000000000"), `pvc-${"a".repeat(26)}`);
});

test("slotForName() hashes every other name, and never again otherwise", () => {
  assert.equal(slotForName("data"), "pvc-3nyfie7wlvixbp3zy4brmldmsy");
  assert.notEqual(slotForName(uuidName.toUpperCase()), slotForName(uuidName));
  assert.notEqual(slotForName(`${uuidName} `), slotForName(uuidName));
});

test("slotForName() makes one valid slot of at most 32 characters for each name", () => {
  const allowed = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
    .filter((name) => Buffer.byteLength(name) <= 128);
  fc.assert(
    fc.property(
      fc.oneof(
        allowed,
        fc.uuid().map((uuid) => `pvc-${uuid}`),
      ),
      (name) => {
        const slot = slotForName(name);
        assert.match(slot, /^pvc-[a-z2-7]{26}$/);
        assert.equal(slotForName(name), slot);
        assert.deepEqual(parseVolumeId(slot), { appliance: undefined, slot });
      },
    ),
  );
});

test("slotForName() tells different names apart", () => {
  const pair = fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }));
  fc.assert(
    fc.property(
      pair.filter(([a, b]) => a !== b && !/\p{Cc}/u.test(a + b)),
      ([a, b]) => assert.notEqual(slotForName(a), slotForName(b)),
    ),
  );
});

test("slotForName() counts bytes, not characters", () => {
  assert.match(slotForName("ä".repeat(64)), /^pvc-/);
  assert.throws(() => slotForName("ä".repeat(65)), {
    kind: "invalid-argument",
    message: "Cannot create a volume: name has 130 bytes, the limit is 128",
  });
  assert.throws(() => slotForName(""), { kind: "invalid-argument", message: /name is empty/ });
});

test("slotForName() refuses the control characters that the CSI spec bans, and only those", () => {
  for (const code of [0, 8, 0x0b, 0x0c, 0x0e, 0x1f, 0x7f, 0x9f])
    assert.throws(() => slotForName(`a${String.fromCodePoint(code)}b`), /control character/);
  for (const text of ["a\tb", "a\nb", "a\rb", "a b", "größe", "音量", "🗄", "a\u00a0b"])
    assert.match(slotForName(text), /^pvc-/);
});

test("parseVolumeId() gives back what formatVolumeId() was given, byte for byte", () => {
  const id = fc.tuple(
    fc.option(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/), { nil: undefined }),
    fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  );
  fc.assert(
    fc.property(id, ([appliance, slot]) => {
      const text = appliance === undefined ? slot : `${appliance}/${slot}`;
      const parsed = parseVolumeId(text);
      assert.deepEqual(parsed, { appliance, slot });
      assert.equal(parsed && formatVolumeId(parsed), text);
    }),
  );
});

test("parseVolumeId() takes old handles as they are", () => {
  assert.deepEqual(parseVolumeId(uuidName), { appliance: undefined, slot: uuidName });
});

test("parseVolumeId() refuses text that could lead elsewhere", () => {
  const wrong = ["", "/", "a/", "/a", "a/b/c", "../a", "..", ".a", "-a", "a b", "a;b", "a\n", "ä"];
  for (const text of [...wrong, "A/b", "-a/b", "a-/b", "a".repeat(65), `${"a".repeat(33)}/b`])
    assert.equal(parseVolumeId(text), undefined, text);
});

test("isApplianceName() accepts short DNS labels", () => {
  for (const name of ["a", "rds-1", "a".repeat(32)]) assert.equal(isApplianceName(name), true);
  for (const name of ["", "A", "a_b", "-a", "a-", "a".repeat(33)])
    assert.equal(isApplianceName(name), false);
});
