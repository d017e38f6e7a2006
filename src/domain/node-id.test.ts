import assert from "node:assert/strict";
import { test } from "node:test";
import { isNodeId } from "./node-id.ts";

test("isNodeId() accepts node names", () => {
  for (const text of ["n1", "ip-10-0-0-1.ec2.internal", "Node_1", "x".repeat(192)])
    assert.equal(isNodeId(text), true, text);
});

test("isNodeId() refuses what would break the list of nodes in a comment", () => {
  for (const text of ["", "a,b", "a b", "a=b", "*", "ä", "a\n", "x".repeat(193)])
    assert.equal(isNodeId(text), false, text);
});
