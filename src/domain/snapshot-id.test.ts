import assert from "node:assert/strict";
import { test } from "node:test";
import { GiB, MiB } from "#lib/bytes.ts";
import {
  formatSnapshotId,
  formatSnapshotLeaf,
  parseSnapshotId,
  parseSnapshotLeaf,
  snapshotKeyForName,
} from "./snapshot-id.ts";
import type { Slot } from "./volume-id.ts";

const key = snapshotKeyForName("snapshot-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11");

test("snapshotKeyForName() takes the UUID of the external-snapshotter, else a digest", () => {
  assert.equal(key, "snap-h4oj4yekkvgdthj6bvfg6d4kce");
  const other = snapshotKeyForName("before the upgrade");
  assert.match(other, /^snap-[a-z2-7]{26}$/);
  assert.notEqual(other, snapshotKeyForName("before the upgrade "));
});

test("snapshotKeyForName() refuses names that CSI does not allow", () => {
  for (const name of ["", "a".repeat(129), "a\u0007"])
    assert.throws(() => snapshotKeyForName(name), {
      kind: "invalid-argument",
      message: /Cannot create (a )?snapshot/,
    });
});

test("the leaf keeps source and size, also of slots with dots and sizes off the MiB", () => {
  for (const source of ["pvc-a", "pvc.2.3", "pvc-3f1c9e60-8a55-4c39-9d3e-0d4a6f0f8a11"] as Slot[]) {
    const leaf = { key, source, sizeBytes: 3 * GiB };
    assert.deepEqual(parseSnapshotLeaf(formatSnapshotLeaf(leaf)), leaf);
  }
  const odd = formatSnapshotLeaf({ key, source: "pvc-a" as Slot, sizeBytes: MiB + 1 });
  assert.equal(parseSnapshotLeaf(odd)?.sizeBytes, 2 * MiB);
});

test("parseSnapshotId() reads back what formatSnapshotId() wrote, and nothing else", () => {
  const leaf = { key, source: "pvc-a" as Slot, sizeBytes: GiB };
  for (const appliance of [undefined, "rds2"]) {
    const id = { appliance, leaf };
    assert.deepEqual(parseSnapshotId(formatSnapshotId(id)), id);
  }
  const text = formatSnapshotLeaf(leaf);
  const foreign = [
    "",
    "pvc-a",
    `a/b/${text}`,
    `A/${text}`,
    `${text}.x`,
    `${key}.pvc-a.0`,
    `${key}.a/b.1`,
  ];
  for (const one of foreign) assert.equal(parseSnapshotId(one), undefined, one);
});
