import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatBytes, GiB, KiB, MiB, roundUp, TiB } from "./bytes.ts";

test("roundUp() never goes below the request, and never a whole unit above it (pitfall 7)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1024 * TiB }), (bytes) => {
      const rounded = roundUp(bytes, MiB);
      assert.ok(rounded >= bytes && rounded - bytes < MiB && rounded % MiB === 0);
    }),
  );
  assert.equal(roundUp(1.5 * TiB, MiB), 1.5 * TiB);
});

test("formatBytes() writes for people", () => {
  const written = [0, 1, 512, KiB, 1.5 * GiB, 50 * GiB, 7 * TiB, 1024 * TiB, 2 ** 63].map(
    formatBytes,
  );
  const expected = [
    "0 B",
    "1 B",
    "512 B",
    "1 KiB",
    "1.5 GiB",
    "50 GiB",
    "7 TiB",
    "1 PiB",
    "8192 PiB",
  ];
  assert.deepEqual(written, expected);
});
