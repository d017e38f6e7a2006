import assert from "node:assert/strict";
import test from "node:test";
import { createExec, type Exec } from "#linux/exec.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { check } from "./check.ts";

test("check() lets a repair go on that tells of much", async () => {
  const log = new RecordingLog();
  const exec = createExec();
  const words = "yes 'Inode 12 extent tree could be shorter. FIXED.' | head -c 3M; exit 1";
  const talkative: Exec = (request, ctx) =>
    exec({ ...request, file: "bash", args: ["-c", words] }, ctx);
  await check(talkative, "/dev/x", "ext4", { signal: new AbortController().signal, log });
  assert.deepEqual(
    log.records.filter(({ level }) => level === "warn").map(({ message }) => message),
    ["Repaired a file system"],
  );
});
