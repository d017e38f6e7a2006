import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { command } from "./command.ts";
import { newNonce, readReply, sealed } from "./reply.ts";

const nonce = "0123456789abcdef";

function reply(
  stdout: string,
  { stderr = "", exitStatus }: { stderr?: string; exitStatus?: number } = {},
) {
  return readReply({ stdout, stderr, exitStatus }, nonce);
}

test("sealed() prints the nonce last, whatever happens to the command", () => {
  assert.equal(
    sealed(command`/disk/remove [find slot=${"a"}]`, nonce).text,
    `:onerror e in={ /disk/remove [find slot="a"]; :put "${nonce}:ok" } do={ :put ("${nonce}:err:" . $e) }`,
  );
});

test("newNonce() differs each time", () => {
  assert.notEqual(newNonce(), newNonce());
  assert.match(newNonce(), /^[0-9a-f]{16}$/);
});

test("readReply() gives the output before the nonce", () => {
  assert.deepEqual(reply(`[]\r\n${nonce}:ok\r\n\r\n`), { ok: true, output: "[]\r\n" });
});

test("readReply() believes the nonce and not the exit status", () => {
  for (const exitStatus of [0, 1, 255])
    assert.deepEqual(reply(`${nonce}:ok\r\n`, { exitStatus }), { ok: true, output: "" });
});

test("readReply() reads a caught failure, without the place in the script", () => {
  const expected = { ok: false, fault: { type: "not-found", text: "no such item" } };
  assert.deepEqual(reply(`${nonce}:err:no such item\r\n`), expected);
  assert.deepEqual(reply(`${nonce}:err:no such item (/disk/set; line 1)\r\n`), expected);
  assert.deepEqual(reply("", { stderr: `${nonce}:err:no such item\r\n` }), expected);
});

test("readReply() reads a parse error from either stream", () => {
  const text = "bad parameter bogus (line 1 column 29)";
  const expected = { ok: false, fault: { type: "unsupported", text } };
  assert.deepEqual(reply(`${text}\r\n`), expected);
  assert.deepEqual(reply("", { stderr: `${text}\r\n` }), expected);
});

test("readReply() knows nothing when the nonce is missing or another", () => {
  for (const text of ["", "[]\r\n", "ok", "0000000000000000:ok\r\n", `${nonce}:`, `${nonce}:e`])
    assert.equal(reply(text, { exitStatus: 0 }), undefined);
});

test("readReply() never takes a reply that was cut short for a success", () => {
  const whole = `[{"slot":"a"}]\r\n${nonce}:ok\r\n\r\n`;
  const end = whole.indexOf(":ok") + ":ok".length;
  fc.assert(
    fc.property(fc.nat({ max: end - 1 }), (length) => {
      assert.equal(reply(whole.slice(0, length)), undefined);
    }),
  );
});
