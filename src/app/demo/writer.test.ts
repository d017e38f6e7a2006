import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { recordsUpTo, Writer } from "./writer.ts";

test("Writer writes one record after the other until it is stopped", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "records");
  const writer = new Writer(path);
  while (writer.written.flushed < 5) await delay(1);
  const { flushed, error } = await writer.stop();
  assert.equal(error, undefined);
  assert.equal(readFileSync(path, "utf8"), recordsUpTo(flushed));
  assert.match(recordsUpTo(2), /^record 0\nrecord 1\n$/);
});

test("Writer ends by its first error, and keeps it", async () => {
  const writer = new Writer("/nonexistent/records");
  while (writer.written.error === undefined) await delay(1);
  const { flushed, error } = await writer.stop();
  assert.equal(flushed, 0);
  assert.match(String(error), /ENOENT/);
  assert.equal(existsSync("/nonexistent"), false);
});
