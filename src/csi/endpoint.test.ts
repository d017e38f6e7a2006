import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEndpoint } from "./endpoint.ts";

test("parseEndpoint() reads the forms that CSI deployments use", () => {
  const socket = { type: "unix", path: "/csi/csi.sock" };
  assert.deepEqual(parseEndpoint("unix:///csi/csi.sock"), socket);
  assert.deepEqual(parseEndpoint("unix:/csi/csi.sock"), socket);
  assert.deepEqual(parseEndpoint("/csi/csi.sock"), socket);
  assert.deepEqual(parseEndpoint("tcp://127.0.0.1:0"), { type: "tcp", address: "127.0.0.1:0" });
  assert.deepEqual(parseEndpoint("tcp://[::1]:9"), { type: "tcp", address: "[::1]:9" });
});

test("parseEndpoint() refuses everything else and says what it wants", () => {
  for (const text of ["", "csi.sock", "unix://csi/csi.sock", "/csi/", "http://x:1", "tcp://x"])
    assert.throws(() => parseEndpoint(text), {
      kind: "invalid-argument",
      message: `Cannot listen on "${text}": expected unix:///path/of/socket`,
    });
});

test("parseEndpoint() names the length of a path that Linux cannot bind", () => {
  assert.throws(() => parseEndpoint(`/${"x".repeat(107)}`), {
    message: /: the path has 108 bytes, Linux allows 107$/,
  });
  assert.equal(parseEndpoint(`/${"x".repeat(106)}`).type, "unix");
});
