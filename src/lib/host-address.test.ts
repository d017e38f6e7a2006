import assert from "node:assert/strict";
import { test } from "node:test";
import { isHostAddress } from "./host-address.ts";

test("isHostAddress() accepts addresses of both families and host names", () => {
  for (const text of ["10.42.67.1", "fd00::1", "::1", "rds", "rds-1.storage.lan", "4rds"])
    assert.equal(isHostAddress(text), true, text);
});

test("isHostAddress() refuses what is no address, or carries more than one", () => {
  const wrong = ["", "256.1.1.1", "1.2.3", "10.0.0.1:4420", "[::1]", "a b", "-x", "x-", "a..b"];
  for (const text of [...wrong, "a,b", "--help", `${"a".repeat(64)}.b`, "a\n"])
    assert.equal(isHostAddress(text), false, text);
});
