import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Slot } from "#domain/volume-id.ts";
import { canonicalPath, isWithin, literalPattern } from "./paths.ts";
import { foldersOf, imagePath, layoutOf } from "./place.ts";

const place = { mountPoint: "pool", baseDirectory: "csi", clusterId: "c1" };
const slot = "pvc-a" as Slot;

test("canonicalPath() makes what /disk and /file print comparable", () => {
  for (const path of ["pool/csi/a.img", "/pool/csi/a.img", "//pool//csi/a.img/"])
    assert.equal(canonicalPath(path), "pool/csi/a.img");
  assert.equal(canonicalPath("/"), "");
});

test("isWithin() compares segments: pitfall 45, a base path check without a separator", () => {
  assert.ok(isWithin("/pool/csi/a.img", "pool/csi"));
  assert.ok(isWithin("pool/csi", "/pool/csi/"));
  assert.ok(!isWithin("/pool/csi-evil/a.img", "/pool/csi"));
  assert.ok(!isWithin("/pool", "/pool/csi"));
});

test("layoutOf() knows exactly the two places where an image of ours can be", () => {
  assert.equal(layoutOf(place, slot, "/pool/csi/c1/pvc-a/disk.img"), "subvolume");
  assert.equal(layoutOf(place, slot, "pool/csi/c1/pvc-a.img"), "flat");
  const elsewhere = [
    "/pool/csi/c2/pvc-a.img",
    "/pool/csi/c1/pvc-b.img",
    "/pool/csi/c1/pvc-a/other.img",
    "/pool/csi/c1/x/../pvc-a.img",
    "/pool2/csi/c1/pvc-a.img",
    "/pool/csi/c1/pvc-a.img.old",
    "",
  ];
  for (const path of elsewhere) assert.equal(layoutOf(place, slot, path), undefined, path);
});

test("imagePath() and foldersOf() take a base directory of several segments", () => {
  const deep = { ...place, baseDirectory: "/k8s/csi/" };
  assert.equal(imagePath({ place: deep, slot, layout: "flat" }), "pool/k8s/csi/c1/pvc-a.img");
  assert.deepEqual(foldersOf(deep), ["k8s", "k8s/csi", "k8s/csi/c1"]);
});

test("literalPattern() matches the text and nothing else", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab.*+?()[]{}|^$\\/-"), maxLength: 12 });
  fc.assert(
    fc.property(text, text, (wanted, other) => {
      const pattern = new RegExp(`^${literalPattern(wanted)}$`);
      assert.ok(pattern.test(wanted));
      assert.equal(pattern.test(other), wanted === other);
    }),
  );
});
