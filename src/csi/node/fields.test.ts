import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { requirePath, requireVolumeId } from "./fields.ts";

test("requirePath() takes absolute, normalised paths and names the field of any other", () => {
  for (const path of ["/a", "/var/lib/kubelet/pods/x/..data", `/${"a".repeat(4_094)}`])
    assert.equal(requirePath(path, "target_path"), path);
  for (const path of [
    "",
    "a/b",
    "/",
    "/a/",
    "//a",
    "/a//b",
    "/a/../b",
    "/..",
    "/a/.",
    "/a\0b",
    `/${"a".repeat(4_095)}`,
    `/${"ä".repeat(2_048)}`,
  ])
    assert.throws(() => requirePath(path, "target_path"), {
      kind: "invalid-argument",
      message: /target_path/,
    });
});

test("requirePath() lets no path through that the kernel would resolve to another", () => {
  const segment = fc.constantFrom("a", "..", ".", "", "b c", "...");
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
      const path = `/${segments.join("/")}`;
      try {
        requirePath(path, "target_path");
      } catch {
        return true;
      }
      return new URL(`file://${encodeURI(path)}`).pathname === encodeURI(path);
    }),
  );
});

test("requireVolumeId() takes ids of this driver only", () => {
  for (const id of ["pvc-abc", "rack2/pvc-abc"]) assert.equal(requireVolumeId(id), id);
  for (const id of ["", "../etc", "a/b/c", "pvc abc", `pvc-${"a".repeat(100)}`])
    assert.throws(() => requireVolumeId(id), { kind: "invalid-argument", message: /volume_id/ });
});
