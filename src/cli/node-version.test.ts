import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nodeComplaint } from "./node-version.ts";

test("nodeComplaint() accepts what package.json asks for, and says so to all others", () => {
  const { engines } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  assert.equal(engines.node, ">=24.12");
  assert.equal(nodeComplaint("24.12.0"), undefined);
  assert.equal(nodeComplaint("26.0.0"), undefined);
  for (const old of ["24.11.1", "22.21.0", "8.1.0"])
    assert.equal(nodeComplaint(old), `Cannot run on Node.js ${old}: rds-csi needs 24.12 or later`);
});
