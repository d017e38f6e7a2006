import assert from "node:assert/strict";
import test from "node:test";
import { MiB } from "#lib/bytes.ts";
import type { ExecFailure } from "#linux/exec-error.ts";
import { testContext } from "#test/fakes/context.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { inspect } from "./inspect.ts";

const ctx = testContext();
const ext4 = "DEVNAME=/dev/x\nUUID=4fa4f2e0\nVERSION=1.0\nTYPE=ext4\nUSAGE=filesystem\n";
const nothing = exitCode(2);

/** Tools that give these answers one after another, on a device of 10 MiB unless told otherwise. */
function tools(answers: readonly (string | ExecFailure)[], sizeBytes = 10 * MiB) {
  const queue = [...answers];
  const scripted = new ScriptedExec(() => queue.shift() ?? assert.fail("no more answers"));
  return {
    commands: scripted.commands,
    tools: { exec: scripted.exec, devices: { sizeOf: async () => sizeBytes } },
  };
}

test("inspect() calls a device blank after two silent probes and zeros at both ends", async () => {
  const rig = tools([nothing, nothing, "", ""]);
  assert.deepEqual(await inspect(rig.tools, "/dev/x", ctx), { kind: "blank" });
  assert.deepEqual(rig.commands, [
    "blkid -p -o export -- /dev/x",
    "blkid -p -o export -- /dev/x",
    "cmp --bytes=1048576 --ignore-initial=0:0 -- /dev/x /dev/zero",
    "cmp --bytes=1048576 --ignore-initial=9437184:0 -- /dev/x /dev/zero",
  ]);
});

test("inspect() reads a device below 1 MiB as a whole", async () => {
  const rig = tools([nothing, nothing, "", ""], 4096);
  await inspect(rig.tools, "/dev/x", ctx);
  assert.match(rig.commands[3] ?? "", /^cmp --bytes=4096 --ignore-initial=0:0 /);
});

test("inspect() tells a file system by the first probe", async () => {
  const rig = tools([ext4]);
  const content = await inspect(rig.tools, "/dev/x", ctx);
  assert.deepEqual(content, { kind: "filesystem", fsType: "ext4", uuid: "4fa4f2e0" });
});

const doubts: readonly (readonly [string, readonly (string | ExecFailure)[], RegExp])[] = [
  ["exit code 1", [exitCode(1)], /blkid failed with exit code 1/],
  ["exit code 4", [exitCode(4, "usage")], /blkid failed with exit code 4/],
  [
    "exit code 2 with a word on stderr",
    [exitCode(2, "error: /dev/x: No such device")],
    /No such device/,
  ],
  ["exit code 2 with a word on stdout", [exitCode(2, "", "DEVNAME=/dev/x")], /exit code 2/],
  ["a probe that hangs", [{ reason: "did not end within 30 s", timedOut: true }], /did not end/],
  ["a second probe that fails", [nothing, exitCode(1)], /exit code 1/],
  ["a second probe that finds something", [nothing, ext4], /blkid found nothing, then ext4$/],
  [
    "an end that cannot be read",
    [nothing, nothing, exitCode(2, "Input/output error")],
    /at byte 0.*Input/,
  ],
  ["an end that is short", [nothing, nothing, "", exitCode(1, "cmp: EOF on /dev/x")], /EOF/],
];

for (const [what, answers, message] of doubts)
  test(`inspect() rejects with unavailable for ${what}: that is not blank`, async () => {
    await assert.rejects(inspect(tools(answers).tools, "/dev/x", ctx), {
      kind: "unavailable",
      message,
    });
  });

test("inspect() rejects with unavailable for a device of size 0", async () => {
  await assert.rejects(inspect(tools([nothing, nothing], 0).tools, "/dev/x", ctx), {
    kind: "unavailable",
    message: 'Cannot tell what is on "/dev/x": its size is 0',
  });
});

test("inspect() calls conflicting signatures something else, never blank", async () => {
  assert.deepEqual(await inspect(tools([exitCode(8)]).tools, "/dev/x", ctx), {
    kind: "other",
    description: "several signatures",
  });
});

test("inspect() calls data at either end something else", async () => {
  const data = exitCode(1, "", "/dev/x /dev/zero differ: byte 12, line 1");
  const other = { kind: "other", description: "unknown data" };
  for (const ends of [[data], ["", data]])
    assert.deepEqual(await inspect(tools([nothing, nothing, ...ends]).tools, "/dev/x", ctx), other);
});
