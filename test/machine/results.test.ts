import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../rig/temporary-folder.ts";
import { Results } from "./results.ts";

const printed = [
  "[    4.1] nvme nvme0: new ctrl",
  'PAUSE {"what":"ext4, silent loss","outageMs":5400,"afterMs":812}',
  'PAUSE {"what":"xfs, short","outageMs":2000,"afterMs":1640}',
  "2 passed, 1 failed, 0 skipped",
  "TAP TAP version 13",
  "TAP # pass 2",
  "TAP # fail 1",
  "TAP # cancelled 0",
];

test("take() keeps TAP in a file of its own, and leaves what people read", () => {
  using folder = temporaryFolder();
  const results = new Results(join(folder.path, "results"));
  const rest = results.take("6.12", "outage", printed);
  assert.deepEqual(rest, [printed[0], printed[3]]);
  const tap = readFileSync(join(folder.path, "results/6.12-outage.tap"), "utf8");
  assert.equal(tap, "TAP version 13\n# pass 2\n# fail 1\n# cancelled 0\n");
});

test("pauses() leaves out what the kernel wrote to the same line, and a line that it tore apart", () => {
  using folder = temporaryFolder();
  const results = new Results(join(folder.path, "results"));
  results.take("6.1", "outage", [
    'PAUSE {"what":"xfs, short","outageMs":2000,"afterMs":1640}[  127.8] nvme nvme2: failed to send request -32',
    'PAUSE {"what":"ext4, sho[  127.9] nvme nvme2: failed to send request -32',
  ]);
  assert.match(results.pauses(), /--- \|\n\| xfs, short \| 6\.1 \| 2\.0 s \| 1\.6 s \|\n$/);
});

test("counts() adds up the scenarios of all files, one that was cancelled as failed", () => {
  using folder = temporaryFolder();
  const results = new Results(join(folder.path, "results"));
  results.take("6.12", "one", printed);
  results.take("6.12", "two", ["TAP # pass 1", "TAP # fail 0", "TAP # cancelled 2"]);
  assert.equal(results.counts(), "3 passed, 3 failed");
});

test("pauses() is a table, the longest pause after the target's return first", () => {
  using folder = temporaryFolder();
  const results = new Results(join(folder.path, "results"));
  results.take("6.12", "outage", printed);
  assert.equal(
    results.pauses(),
    `| outage | kernel | target away | pause after its return |
| --- | --- | --- | --- |
| xfs, short | 6.12 | 2.0 s | 1.6 s |
| ext4, silent loss | 6.12 | 5.4 s | 0.8 s |
`,
  );
  assert.equal(readFileSync(join(folder.path, "results/pauses.md"), "utf8"), results.pauses());
});

test("a machine that broke before its tests counts no scenario", () => {
  using folder = temporaryFolder();
  const results = new Results(join(folder.path, "results"));
  assert.deepEqual(results.take("6.12", "outage", ["no root"]), ["no root"]);
  assert.equal(results.counts(), "0 passed, 0 failed");
});
