import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  contextKeys,
  parameterKeys,
  parseVolumeParameters,
  volumeContextOf,
} from "./volume-parameters.ts";

test("parseVolumeParameters() reconnects for ever unless told otherwise", () => {
  assert.deepEqual(parseVolumeParameters({}), {
    appliance: undefined,
    connect: {
      ctrlLossTmoSeconds: -1,
      reconnectDelaySeconds: 5,
      keepAliveTmoSeconds: undefined,
      nrIoQueues: undefined,
    },
    reconnect: { mode: "transparent", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
    mkfsOptions: "",
    migrationTimeoutSeconds: 300,
  });
});

test("parseVolumeParameters() reads every key", () => {
  const given = {
    appliance: "rds-2",
    ctrlLossTmo: "600",
    reconnectDelay: "10",
    keepAliveTmo: "15",
    nrIoQueues: "4",
    reconnectMode: "remount",
    ioHoldSeconds: "86400",
    onApplianceRestart: "fail",
    mkfsOptions: "-m 1",
    migrationTimeoutSeconds: "120",
  };
  assert.deepEqual(Object.keys(given).toSorted(), [...parameterKeys].toSorted());
  assert.deepEqual(parseVolumeParameters(given), {
    appliance: "rds-2",
    connect: {
      ctrlLossTmoSeconds: 600,
      reconnectDelaySeconds: 10,
      keepAliveTmoSeconds: 15,
      nrIoQueues: 4,
    },
    reconnect: { mode: "remount", ioHoldSeconds: 86_400, onApplianceRestart: "fail" },
    mkfsOptions: "-m 1",
    migrationTimeoutSeconds: 120,
  });
});

test("parseVolumeParameters() leaves the keep-alive to the kernel when it is 0", () => {
  const { connect } = parseVolumeParameters({ keepAliveTmo: "0" });
  assert.equal(connect.keepAliveTmoSeconds, undefined);
});

test("parseVolumeParameters() holds I/O for ever when the limit is 0", () => {
  const { reconnect } = parseVolumeParameters({ ioHoldSeconds: "0" });
  assert.equal(reconnect.ioHoldSeconds, undefined);
});

test("parseVolumeParameters() takes the words it knows, to the letter, and names them otherwise", () => {
  for (const text of ["", "Transparent", "remount ", "toString"])
    assert.throws(() => parseVolumeParameters({ reconnectMode: text }), {
      kind: "invalid-argument",
      message: `Cannot use parameter reconnectMode="${text}": expected "transparent" or "remount"`,
    });
  assert.throws(() => parseVolumeParameters({ onApplianceRestart: "stop" }), {
    kind: "invalid-argument",
    message: 'Cannot use parameter onApplianceRestart="stop": expected "continue" or "fail"',
  });
});

test("parseVolumeParameters() names the key, the value and the range", () => {
  assert.throws(() => parseVolumeParameters({ reconnectDelay: "10000" }), {
    kind: "invalid-argument",
    message: 'Cannot use parameter reconnectDelay="10000": expected a whole number from 1 to 600',
  });
});

test("parseVolumeParameters() takes whole numbers within their limits and nothing else", () => {
  for (const text of ["", " 5", "5s", "1e2", "0x5", "5.0", "+5", "--5", "9999999999", "NaN"])
    assert.throws(() => parseVolumeParameters({ reconnectDelay: text }), {
      kind: "invalid-argument",
    });
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const read = () => parseVolumeParameters({ ctrlLossTmo: String(value) });
      if (value < -1 || value > 86_400) assert.throws(read, { kind: "invalid-argument" });
      else assert.equal(read().connect.ctrlLossTmoSeconds, value);
    }),
  );
});

test("volumeContextOf() leaves out what stays in the controller", () => {
  const given = { appliance: "rds-2", nrIoQueues: "4", "csi.storage.k8s.io/pvc/name": "data" };
  assert.deepEqual(volumeContextOf(given), { nrIoQueues: "4" });
});

test("volumeContextOf() reads as the same connection on the node", () => {
  const words = { reconnectMode: "remount", onApplianceRestart: "fail" };
  const numbers = contextKeys.filter((key) => !(key in words)).map((key) => [key, "30"]);
  const given = { appliance: "a", ...Object.fromEntries(numbers), ...words };
  const { appliance: _appliance, ...travels } = parseVolumeParameters(given);
  assert.deepEqual(parseVolumeParameters(volumeContextOf(given)), {
    appliance: undefined,
    ...travels,
  });
});
