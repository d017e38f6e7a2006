import assert from "node:assert/strict";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { Dmsetup } from "./dmsetup.ts";
import { LinuxHoldSurvey, withFailedPath } from "./hold-survey.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh";
const other = "nqn.2000-02.com.mikrotik:pvc-b.1-abcdefgh";
const status = (first: string, second: string) =>
  `0 131072 multipath 2 0 0 0 2 1 A 0 1 2 259:1 ${first} 0 0 1 E 0 1 2 259:1 ${second} 0 0 1`;

test("withFailedPath() names our holds with a failed path, and nobody else's", () => {
  const text = [
    `rds-csi-${nqn}: ${status("A", "F")}`,
    `rds-csi-${other}: ${status("A", "A")}`,
    `mpatha: ${status("F", "F")}`,
    `rds-csi-${other}0: garbage`,
    "",
  ].join("\n");
  assert.deepEqual(withFailedPath(text), [nqn]);
});

test("disturbed() adds holds that are suspended, and starts no process where there are none", async () => {
  using tree = new SysfsTree();
  tree.attributes("block", {});
  let calls = 0;
  const exec = async () => {
    calls++;
    return { stdout: `rds-csi-${nqn}: ${status("F", "A")}\n`, stderr: "" };
  };
  const survey = new LinuxHoldSurvey(new Dmsetup(exec), tree.sysfs);
  assert.deepEqual(await survey.disturbed(testContext()), new Set());
  assert.equal(calls, 0);
  tree.attributes("block/dm-0/dm", { uuid: `rds-csi-${other}`, suspended: 1 });
  tree.attributes("block/dm-1/dm", { uuid: "LVM-abc", suspended: 1 });
  assert.deepEqual(await survey.disturbed(testContext()), new Set([other, nqn]));
});
