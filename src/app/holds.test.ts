import assert from "node:assert/strict";
import test from "node:test";
import { reasonAgainst } from "./holds.ts";

test("reasonAgainst() has none where holds can be made and outages end by themselves", () => {
  assert.equal(reasonAgainst({ missing: undefined, nativeMultipath: true }, true), undefined);
});

test("reasonAgainst() says what is missing, or that native multipath is off", () => {
  const missing = "Cannot make a hold: device-mapper is missing";
  assert.equal(reasonAgainst({ missing, nativeMultipath: true }, true), missing);
  assert.equal(
    reasonAgainst({ missing: undefined, nativeMultipath: false }, true),
    "native NVMe multipath is off",
  );
});

test("reasonAgainst() trusts the kernel's default as long as nvme-core is not loaded", () => {
  assert.equal(reasonAgainst({ missing: undefined, nativeMultipath: false }, false), undefined);
});
