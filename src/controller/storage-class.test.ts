import assert from "node:assert/strict";
import { test } from "node:test";
import { retiredParameterKeys } from "#domain/volume-parameters.ts";
import { MemoryAppliances, memoryAppliance } from "#test/fakes/memory-appliances.ts";
import { checkParameters, chosenAppliance, originOf, retiredParameters } from "./storage-class.ts";

const ext4 = { type: "mount", fsType: "ext4", mountFlags: [] } as const;
const prefix = "csi.storage.k8s.io";

test("checkParameters() names a key that it does not know, and those it does", () => {
  assert.throws(() => checkParameters({ ctrlLossTimeout: "5" }, ext4), {
    kind: "invalid-argument",
    message:
      /^Cannot use parameter "ctrlLossTimeout": it is unknown, known are appliance, ctrlLossTmo/,
  });
});

test("checkParameters() names a value that is wrong", () => {
  assert.throws(() => checkParameters({ ctrlLossTmo: "600s" }, ext4), /ctrlLossTmo="600s"/);
  assert.throws(() => checkParameters({ mkfsOptions: "-F" }, ext4), /mkfsOptions "-F"/);
});

test("checkParameters() looks at mkfsOptions for the file system that is asked for", () => {
  const crc = { mkfsOptions: "-m crc=1" };
  checkParameters(crc, { ...ext4, fsType: "xfs" });
  checkParameters(crc, { type: "block" });
  assert.throws(() => checkParameters(crc, ext4), { kind: "invalid-argument" });
});

test("checkParameters() accepts what the provisioner adds, and the words of the driver before", () => {
  const given = { [`${prefix}/pvc/name`]: "data", [`${prefix}/anything`]: "" };
  checkParameters({ ...given, nqnPrefix: "nqn.x", volumePath: "/a", fsType: "ext4" }, ext4);
});

test("retiredParameters() lists the words of the driver before", () => {
  const given = Object.fromEntries(retiredParameterKeys.map((key) => [key, "x"]));
  assert.deepEqual(retiredParameters({ ...given, ctrlLossTmo: "5" }), [...retiredParameterKeys]);
});

test("chosenAppliance() takes the default unless one is named", () => {
  const [first, second] = [
    memoryAppliance(),
    memoryAppliance({ name: "lab-2", idPrefix: "lab-2" }),
  ];
  const appliances = new MemoryAppliances(first, second);
  assert.equal(chosenAppliance({}, appliances), first);
  assert.equal(chosenAppliance({ appliance: "lab-2" }, appliances), second);
  assert.equal(chosenAppliance({ appliance: "rds" }, appliances), first);
  for (const appliance of ["lab-3", ""])
    assert.throws(() => chosenAppliance({ appliance }, appliances), {
      kind: "invalid-argument",
      message: `Cannot use parameter appliance="${appliance}": configured are "rds", "lab-2"`,
    });
});

test("originOf() reads for whom a volume is made", () => {
  const given = {
    [`${prefix}/pv/name`]: "pvc-1",
    [`${prefix}/pvc/name`]: "data",
    [`${prefix}/pvc/namespace`]: "shop",
  };
  assert.deepEqual(originOf(given), { pv: "pvc-1", pvc: "shop/data" });
  assert.deepEqual(originOf({}), { pv: undefined, pvc: undefined });
});

test("originOf() refuses names that would read as words of the comment (pitfall 40)", () => {
  assert.throws(() => originOf({ [`${prefix}/pvc/name`]: "data nodes=evil" }), {
    kind: "invalid-argument",
    message: /pvc\/name="data nodes=evil": not a name/,
  });
});
