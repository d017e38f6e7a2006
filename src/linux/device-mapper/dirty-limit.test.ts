import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { limitDirtyPages } from "./dirty-limit.ts";

test("limitDirtyPages() sets both attributes, or the one that the kernel has", () => {
  using tree = new SysfsTree();
  const log = new RecordingLog();
  tree.attributes("class/bdi/253:0", { strict_limit: 0, max_ratio: 9 });
  tree.attributes("class/bdi/253:1", { max_ratio: 9 });
  for (const device of ["253:0", "253:1"])
    limitDirtyPages(tree.sysfs, device, testContext({ log }));
  assert.equal(tree.sysfs.read("class", "bdi", "253:0", "strict_limit"), "1");
  assert.equal(tree.sysfs.read("class", "bdi", "253:0", "max_ratio"), "5");
  assert.equal(tree.sysfs.read("class", "bdi", "253:1", "max_ratio"), "5");
  assert.equal(tree.sysfs.exists("class", "bdi", "253:1", "strict_limit"), false);
  assert.deepEqual(log.records, []);
});

test("limitDirtyPages() warns when it cannot, and does not fail", () => {
  using tree = new SysfsTree();
  const log = new RecordingLog();
  mkdirSync(join(tree.root, "class/bdi/253:1/max_ratio"), { recursive: true });
  for (const device of ["253:0", "253:1"])
    limitDirtyPages(tree.sysfs, device, testContext({ log }));
  assert.deepEqual(
    log.records.map(({ level, fields }) => [level, fields["majorMinor"]]),
    [
      ["warn", "253:0"],
      ["warn", "253:1"],
    ],
  );
});
