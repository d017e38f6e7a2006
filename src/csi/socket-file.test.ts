import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clearSocketFile } from "./socket-file.ts";

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "rds-csi-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** A socket file whose process died without cleaning up. */
function leaveSocket(path: string): void {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
}

test("clearSocketFile() is content when nothing is there", async () => {
  using folder = temporaryFolder();
  await clearSocketFile(join(folder.path, "csi.sock"));
});

test("clearSocketFile() removes the socket of a process that died", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "csi.sock");
  leaveSocket(path);
  assert.ok(existsSync(path));
  await clearSocketFile(path);
  assert.ok(!existsSync(path));
});

test("clearSocketFile() leaves a live socket alone", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "csi.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await assert.rejects(clearSocketFile(path), {
    kind: "failed-precondition",
    message: `Cannot listen on "${path}": another process is listening there`,
  });
  assert.ok(existsSync(path));
  await new Promise((resolve) => server.close(resolve));
});

test("clearSocketFile() never removes what is not a socket", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "file");
  const link = join(folder.path, "link");
  writeFileSync(file, "precious");
  symlinkSync(file, link);
  for (const path of [folder.path, file, link]) {
    await assert.rejects(clearSocketFile(path), {
      message: `Cannot listen on "${path}": it is there and is not a socket`,
    });
    assert.ok(existsSync(path));
  }
});
