import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { secretFields } from "./gen/secret-fields.ts";
import { loggable } from "./loggable.ts";

/** Every field of csi.proto with the option, read without a protobuf compiler. */
function secretsInProto(): string[] {
  const proto = readFileSync(new URL("../../proto/csi.proto", import.meta.url), "utf8");
  const code = proto.replaceAll(/\/\/.*$/gm, "");
  const messages = code.split(/^message /m).slice(1);
  return messages.flatMap((text) => {
    const [name] = text.split(" ", 1);
    const fields = text.matchAll(/(\w+) = \d+\s*\[[^\]]*\(csi_secret\) = true/g);
    return [...fields].map(([, field]) => `${name}.${field}`);
  });
}

test("secretFields lists every field that csi.proto marks csi_secret", () => {
  const expected = secretsInProto();
  const marks = readFileSync(new URL("../../proto/csi.proto", import.meta.url), "utf8").split(
    "(csi_secret) = true",
  );
  assert.equal(expected.length, marks.length - 1);
  assert.ok(expected.length >= 19);
  const listed = Object.entries(secretFields).flatMap(([message, fields]) =>
    fields.map((field) => `${message}.${field}`),
  );
  assert.deepEqual(listed.toSorted(), expected.toSorted());
});

test("loggable() keeps everything but the secrets, and the original as it was", () => {
  const request = createVolumeRequest({
    parameters: { appliance: "rds1" },
    secrets: { password: "hunter2" },
  });
  const text = JSON.stringify(loggable(request));
  assert.doesNotMatch(text, /hunter2|password/);
  assert.match(text, /"secrets":"\[redacted\]"/);
  assert.match(text, /"parameters":\{"appliance":"rds1"\}/);
  assert.deepEqual(request.secrets, { password: "hunter2" });
});

test("loggable() hides a secret at any depth and does not mention empty ones", () => {
  assert.equal(
    JSON.stringify(loggable({ entries: [{ secrets: { key: "hunter2" } }], secrets: {} })),
    '{"entries":[{"secrets":"[redacted]"}]}',
  );
});

test("loggable() cuts long lists and says how much it left out", () => {
  const entries = Array.from({ length: 10_000 }, (_, index) => index);
  const shown = loggable({ entries }).toJSON() as { entries: unknown[] };
  assert.equal(shown.entries.length, 21);
  assert.equal(shown.entries.at(-1), "… 9980 more");
});
