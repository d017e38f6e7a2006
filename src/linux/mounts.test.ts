import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import type { Exec } from "./exec.ts";
import { LinuxMounts } from "./mounts.ts";

const ctx = testContext();

/** A mount(8) that says it succeeded and, at `forgotten`, left out an option. */
function forgetfulTools(table: string, forgotten = "/target") {
  let targets: string[] = [];
  const line = (target: string) =>
    `36 1 7:0 / ${target} ${target === forgotten ? "rw" : "ro"} - ext4 /dev/loop0 rw\n`;
  writeFileSync(table, "");
  const exec: Exec = async ({ file, args }) => {
    const target = args.at(-1) ?? "";
    targets = file === "mount" ? [...targets, target] : targets.filter((other) => other !== target);
    writeFileSync(table, targets.map(line).join(""));
    return { stdout: "", stderr: "" };
  };
  return new LinuxMounts(exec, table);
}

for (const forgotten of ["/target", "/source"])
  test(`bind() undoes a mount that did not become read-only (${forgotten})`, async () => {
    using folder = temporaryFolder();
    const mounts = forgetfulTools(join(folder.path, "mountinfo"), forgotten);
    const request = { source: "/source", target: "/target", options: ["ro"] };
    await assert.rejects(mounts.bind(request, ctx), {
      kind: "internal",
      message: 'Cannot bind "/source" to "/target": the mount is not read-only as asked',
    });
    assert.deepEqual(await mounts.list(ctx), []);
  });

test("mount() and unmount() refuse a relative path", async () => {
  using folder = temporaryFolder();
  const mounts = forgetfulTools(join(folder.path, "mountinfo"));
  const request = { source: "/dev/loop0", target: "target", fsType: "ext4", options: [] };
  await assert.rejects(mounts.mount(request, ctx), { kind: "invalid-argument" });
  await assert.rejects(mounts.unmount("-l", ctx), { kind: "invalid-argument" });
});
