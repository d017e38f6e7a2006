import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { testContext } from "#test/fakes/context.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { createExec } from "./exec.ts";
import { ExecError } from "./exec-error.ts";
import { OpenFile } from "./open-file.ts";

const exec = createExec(1_000);

/** A small program of the test's own; the adapters themselves never use a shell. */
function script(text: string, timeoutMs = 10_000) {
  return { file: "sh", args: ["-c", text], timeoutMs };
}

/** Not there any more, or a zombie that init has yet to reap. */
function hasEnded(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

async function failure(run: Promise<unknown>): Promise<ExecError> {
  const error = await run.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ExecError, String(error));
  return error;
}

test("exec() resolves with what a process printed", async () => {
  const output = await exec(script("echo out; echo err >&2"), testContext());
  assert.deepEqual(output, { stdout: "out\n", stderr: "err\n" });
});

test("exec() hands arguments over as they are", async () => {
  const args = ["%s|", "a b", "$(id)", ";", "'"];
  const { stdout } = await exec({ file: "printf", args, timeoutMs: 5_000 }, testContext());
  assert.equal(stdout, "a b|$(id)|;|'|");
});

test("exec() gives a process a fixed environment and an empty stdin", async () => {
  const { stdout } = await exec(
    script("env | grep -v '^_=\\|^PWD=\\|^SHLVL='; cat"),
    testContext(),
  );
  assert.deepEqual(stdout.trim().split("\n").sort(), [
    "LC_ALL=C",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ]);
});

test("exec() gives a process its input, and forgives one that does not read it", async () => {
  const request = { ...script("cat"), input: "a table" };
  assert.equal((await exec(request, testContext())).stdout, "a table");
  const deaf = { ...script("exit 0"), input: "x".repeat(1_000_000) };
  assert.equal((await exec(deaf, testContext())).stdout, "");
});

test("exec() lets a process write to a file that is open, and makes none", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "attribute");
  assert.throws(() => new OpenFile(path), { code: "ENOENT" });
  writeFileSync(path, "");
  using output = new OpenFile(path);
  const said = await exec({ ...script("cat; echo err >&2"), input: "1", output }, testContext());
  assert.deepEqual(said, { stdout: "", stderr: "err\n" });
  assert.equal(readFileSync(path, "utf8"), "1");
});

test("exec() rejects with exit code and words of a process that fails", async () => {
  const run = exec(script("echo some; echo first >&2; echo last >&2; exit 32"), testContext());
  const { exitCode, stdout, stderr, timedOut, aborted, message } = await failure(run);
  assert.deepEqual(
    { exitCode, stdout, stderr, timedOut, aborted },
    {
      exitCode: 32,
      stdout: "some\n",
      stderr: "first\nlast\n",
      timedOut: false,
      aborted: false,
    },
  );
  assert.equal(message, 'Cannot run "sh": failed with exit code 32: first; last');
});

test("exec() rejects with the signal that ended a process", async () => {
  const error = await failure(exec(script("kill -SEGV $$"), testContext()));
  assert.equal(error.signal, "SIGSEGV");
  assert.equal(error.exitCode, undefined);
});

test("exec() names the package of a program that is not installed", async () => {
  const missing = { file: "nvme-that-is-not-there", args: [], timeoutMs: 1_000 };
  const error = await failure(exec(missing, testContext()));
  assert.equal(error.notInstalled, true);
  assert.match(error.message, /is not installed \(package nvme-that-is-not-there\)$/);
});

test("exec() ends a whole process group when its limit passes (pitfall 20)", async () => {
  const deaf = "(trap '' TERM; while :; do sleep 0.05; done)";
  const run = exec(script(`echo $$; ${deaf} & echo $!; wait`, 300), testContext());
  const error = await failure(run);
  assert.equal(error.timedOut, true);
  assert.equal(error.message, 'Cannot run "sh": did not end within 0.3 s');
  const pids = error.stdout.trim().split("\n").map(Number);
  assert.equal(pids.length, 2);
  await delay(50);
  assert.deepEqual(pids.map(hasEnded), [true, true]);
});

test("exec() kills a process that ignores SIGTERM", async () => {
  const run = exec(
    script("trap '' TERM; echo $$; while :; do sleep 0.05; done", 200),
    testContext(),
  );
  const { signal, stdout } = await failure(run);
  assert.equal(signal, "SIGKILL");
  assert.ok(hasEnded(Number(stdout)));
});

test("exec() ends a process when the caller's signal fires", async () => {
  const caller = new AbortController();
  const run = exec(script("sleep 60"), testContext({ signal: caller.signal }));
  setTimeout(() => caller.abort(), 50);
  const error = await failure(run);
  assert.equal(error.aborted, true);
  assert.equal(error.timedOut, false);
});

test("exec() starts nothing for a caller that has gone", async () => {
  const log = new RecordingLog();
  const error = await failure(
    exec(script("true"), testContext({ signal: AbortSignal.abort(), log })),
  );
  assert.equal(error.aborted, true);
  assert.deepEqual(log.records, []);
});

test("exec() fails a process that prints without end", async () => {
  const error = await failure(exec(script("yes"), testContext()));
  assert.match(error.message, /printed more than 1048576 bytes/);
});

test("exec() does not wait for a grandchild that keeps the pipes open", async () => {
  const startedAt = Date.now();
  const { stdout } = await exec(script("sleep 5 & echo $!"), testContext());
  assert.ok(Date.now() - startedAt < 3_000);
  process.kill(Number(stdout));
});

test("exec() shortens a long complaint", async () => {
  const error = await failure(exec(script("seq 1 5000 >&2; exit 1"), testContext()));
  assert.ok(error.stderr.length <= 4096);
  assert.match(error.message, /: \d+; \d+; …; 5000$/);
});
