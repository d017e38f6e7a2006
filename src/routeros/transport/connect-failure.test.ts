import assert from "node:assert/strict";
import test from "node:test";
import { Secret } from "#lib/secret.ts";
import { connectFailure } from "./connect-failure.ts";
import { fingerprint } from "./host-key.ts";

const endpoint = {
  name: "rds1",
  address: "10.0.0.1",
  port: 22,
  user: "csi",
  privateKey: new Secret("key"),
  hostKey: "SHA256:expected",
  connectTimeoutMs: 10_000,
  commandTimeoutMs: 30_000,
};
const act = 'Cannot connect to appliance "rds1" at 10.0.0.1 port 22';

function failure(error: unknown, presented?: string) {
  const { kind, message } = connectFailure(endpoint, { error, presented });
  return [kind, message];
}

test("connectFailure() names both fingerprints of a host with another key", () => {
  assert.deepEqual(failure(new Error("Host denied"), "SHA256:other"), [
    "failed-precondition",
    `${act}: its host key is "SHA256:other", expected "SHA256:expected"`,
  ]);
});

test("connectFailure() names the user whose key was not accepted", () => {
  const error = Object.assign(new Error("All configured authentication methods failed"), {
    level: "client-authentication",
  });
  assert.deepEqual(failure(error, endpoint.hostKey), [
    "permission-denied",
    `${act}: RouterOS does not accept the key of user "csi"`,
  ]);
});

const states = [
  ["ECONNREFUSED", "connection refused"],
  ["EHOSTUNREACH", "host unreachable"],
  ["ENOTFOUND", "its name is unknown"],
] as const;

for (const [code, state] of states)
  test(`connectFailure() says "${state}" for ${code}`, () => {
    const error = Object.assign(new Error(code), { code });
    assert.deepEqual(failure(error), ["unavailable", `${act}: ${state}`]);
  });

test("connectFailure() says how long it waited", () => {
  const error = new DOMException("The operation was aborted due to timeout", "TimeoutError");
  assert.deepEqual(failure(error), ["unavailable", `${act}: no answer within 10 s`]);
});

test("connectFailure() passes on words that it does not know", () => {
  assert.deepEqual(failure(new Error("no matching host key format")), [
    "unavailable",
    `${act}: no matching host key format`,
  ]);
});

test("fingerprint() prints as ssh-keygen does", () => {
  const key = Buffer.from(
    "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
    "base64",
  );
  assert.equal(fingerprint(key), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
});
