import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FsType } from "#domain/access-mode.ts";
import { GiB, MiB, TiB } from "#lib/bytes.ts";
import { grownVolumeSize, isWithin, minimumSize, newVolumeSize } from "./volume-size.ts";

const range = (requiredBytes: number, limitBytes = 0) => ({ requiredBytes, limitBytes });
const mount = (fsType: FsType) => ({ type: "mount", fsType, mountFlags: [] }) as const;

test("newVolumeSize() is 1 GiB when nothing is asked for", () => {
  assert.equal(newVolumeSize(range(0), MiB), GiB);
});

test("newVolumeSize() stays below a limit when only that is given", () => {
  assert.equal(newVolumeSize(range(0, 512 * MiB), MiB), 512 * MiB);
  assert.equal(newVolumeSize(range(0, 512 * MiB + 1), MiB), 512 * MiB);
  assert.equal(newVolumeSize(range(0, 5 * GiB), MiB), GiB);
  assert.throws(() => newVolumeSize(range(0, 1), MiB), { kind: "out-of-range" });
});

test("newVolumeSize() rounds up, never down (pitfall 7)", () => {
  assert.equal(newVolumeSize(range(1.5 * TiB), MiB), 1.5 * TiB);
  assert.equal(newVolumeSize(range(GiB + 1), MiB), GiB + MiB);
  assert.equal(newVolumeSize(range(1), MiB), MiB);
});

test("newVolumeSize() is within the range, a multiple of 1 MiB, or refused for the limit", () => {
  const bytes = fc.integer({ min: 1, max: 64 * TiB });
  const minimum = fc.constantFrom(MiB, 16 * MiB, 300 * MiB);
  fc.assert(
    fc.property(bytes, fc.option(bytes, { nil: 0 }), minimum, (required, slack, least) => {
      const asked = range(required, slack === 0 ? 0 : required + slack);
      let size: number;
      try {
        size = newVolumeSize(asked, least);
      } catch (error) {
        assert.match(String(error), /the smallest possible one has/);
        assert.ok(asked.limitBytes < Math.max(required + MiB, least));
        return;
      }
      assert.ok(isWithin(size, asked) && size >= least && size % MiB === 0);
    }),
  );
});

test("newVolumeSize() leaves room for the file system, within the limit", () => {
  const least = minimumSize(mount("xfs"));
  assert.equal(newVolumeSize(range(MiB), least), 300 * MiB);
  assert.throws(() => newVolumeSize(range(MiB, 299 * MiB), least), {
    kind: "out-of-range",
    message:
      "Cannot make a volume of at most 313524224 bytes: the smallest possible one has 314572800 (300 MiB)",
  });
});

test("minimumSize() is what mkfs needs, and one step for a raw device", () => {
  assert.equal(minimumSize({ type: "block" }), MiB);
  assert.equal(minimumSize(undefined), MiB);
  assert.equal(minimumSize(mount("xfs")), 300 * MiB);
  assert.equal(minimumSize(mount("btrfs")), 128 * MiB);
  assert.equal(minimumSize(mount("ext4")), 16 * MiB);
});

test("newVolumeSize() refuses ranges that are none", () => {
  for (const wrong of [range(-1), range(0, -1), range(2 * GiB, GiB)])
    assert.throws(() => newVolumeSize(wrong, MiB), { kind: "invalid-argument" });
  assert.throws(() => newVolumeSize(range(GiB + 1, GiB + 2), MiB), { kind: "out-of-range" });
});

test("grownVolumeSize() never shrinks a volume (pitfall 7)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 64 * TiB }), fc.integer({ min: 1 }), (required, mib) => {
      const current = mib * MiB;
      const size = grownVolumeSize(range(required), current);
      assert.ok(size >= current && size >= required);
      assert.ok(size === current || size - required < MiB);
    }),
  );
});

test("grownVolumeSize() refuses a limit below the volume's size", () => {
  assert.equal(grownVolumeSize(range(0, GiB), GiB), GiB);
  assert.throws(() => grownVolumeSize(range(0, GiB - 1), GiB), { kind: "out-of-range" });
  assert.throws(() => grownVolumeSize(range(-1), GiB), { kind: "invalid-argument" });
});
