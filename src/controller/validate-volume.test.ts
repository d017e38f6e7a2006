import assert from "node:assert/strict";
import { test } from "node:test";
import type { VolumeUse } from "#domain/access-mode.ts";
import { requireConsistent } from "./validate-volume.ts";

const uses: VolumeUse[] = [
  {
    accessMode: "single-node-writer",
    access: { type: "mount", fsType: "ext4", mountFlags: [] },
  },
];
const none = { uses, context: {}, parameters: {} };

test("requireConsistent() accepts a context and parameters that belong together, or either alone", () => {
  const context = { ctrlLossTmo: "600" };
  requireConsistent(none);
  requireConsistent({ ...none, context });
  requireConsistent({ ...none, parameters: { ...context, appliance: "rds" } });
  requireConsistent({ ...none, context, parameters: { ...context, appliance: "rds" } });
});

test("requireConsistent() accepts the context of volumes that the driver before has made", () => {
  const context = { rdsAddress: "10.0.0.1", nqn: "nqn.x", volumePath: "/a", nvmePort: "4420" };
  requireConsistent({ ...none, context: { ...context, ctrlLossTmo: "600" } });
});

test("requireConsistent() names what does not fit", () => {
  const cases = [
    [{ context: { colour: "red" } }, /key "colour" is unknown/],
    [{ context: { ctrlLossTmo: "x" } }, /ctrlLossTmo="x"/],
    [{ parameters: { colour: "red" } }, /parameter "colour"/],
    [{ parameters: { mkfsOptions: "-F" } }, /mkfsOptions "-F"/],
    [{ context: { mkfsOptions: "-F" } }, /mkfsOptions "-F"/],
    [
      { context: { ctrlLossTmo: "5" }, parameters: { ctrlLossTmo: "6" } },
      /ctrlLossTmo is "5", the parameters say "6"/,
    ],
    [
      { context: { ctrlLossTmo: "5" }, parameters: { appliance: "rds" } },
      /ctrlLossTmo is "5", the parameters say missing/,
    ],
    [{ uses: [] }, /is empty/],
  ] as const;
  for (const [part, message] of cases)
    assert.throws(() => requireConsistent({ ...none, ...part }), {
      kind: "invalid-argument",
      message,
    });
});
