import assert from "node:assert/strict";
import { test } from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { canHold, holdName, nqnOfHold } from "./hold-name.ts";

const nqnOf = (length: number) => "nqn.2000-02.com.mikrotik:".padEnd(length, "x") as Nqn;

test("canHold() is true for names up to what the kernel takes, 127 bytes", () => {
  assert.equal(canHold(nqnOf(119)), true);
  assert.equal(Buffer.byteLength(holdName(nqnOf(119))), 127);
  assert.equal(canHold(nqnOf(120)), false);
});

test("nqnOfHold() gives back the NQN of a name, and nothing for other devices", () => {
  assert.equal(nqnOfHold(holdName(nqnOf(60))), nqnOf(60));
  for (const uuid of [
    "",
    "rds-csi-",
    "rds-csi-probe",
    "mpath-36001405",
    `LVM-${nqnOf(60)}`,
    nqnOf(60),
  ])
    assert.equal(nqnOfHold(uuid), undefined, uuid);
});
