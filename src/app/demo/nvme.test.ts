import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { testContext } from "#test/fakes/context.ts";
import { DmKernel } from "#test/fakes/dm-kernel.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { lookAtNvme, type NvmeHost } from "./nvme.ts";

const ctx = testContext();
const modules = ["nvme-tcp", "nvmet-tcp", "dm-multipath", "dm-service-time"];

/** A machine on which modprobe loads what it has: everything that real NVMe/TCP needs, unless told otherwise. */
function machine(t: TestContext, available: readonly string[] = modules) {
  const kernel = new DmKernel();
  const folder = temporaryFolder();
  t.after(() => {
    kernel[Symbol.dispose]();
    folder[Symbol.dispose]();
  });
  const lists = available.map((name) => `kernel/${name}.ko.xz:\n`);
  writeFileSync(join(folder.path, "modules.dep"), lists.join(""));
  kernel.addDisk("253:0", 4096);
  kernel.tree.attributes("module/nvme_core/parameters", { multipath: "Y" });
  for (const kind of ["subsystems", "ports"])
    mkdirSync(join(folder.path, "nvmet", kind), { recursive: true });
  const commands: string[] = [];
  const exec: Exec = async (request, context) => {
    commands.push([request.file, ...request.args].join(" "));
    if (request.file !== "modprobe") return await kernel.exec(request, context);
    for (const name of request.args.slice(1))
      kernel.tree.attributes(`module/${name.replaceAll("-", "_")}`, {});
    return { stdout: "", stderr: "" };
  };
  const host: NvmeHost = {
    sysfs: kernel.tree.sysfs,
    folder: folder.path,
    target: join(folder.path, "nvmet"),
    exec,
    port: 0,
    hasProgram: () => true,
  };
  return { host, kernel, folder: folder.path, commands };
}

test("lookAtNvme() loads what is missing, says so, and finds no reason against it", async (t) => {
  const { host, kernel, commands } = machine(t);
  kernel.tree.attributes("module/nvme_tcp", {});
  assert.deepEqual(await lookAtNvme(host, ctx), { reason: undefined, loaded: modules.slice(1) });
  assert.equal(commands[0], "modprobe -a nvmet-tcp dm-multipath dm-service-time");
});

test("lookAtNvme() loads nothing where a module or a program is missing for good", async (t) => {
  const { host, commands } = machine(t, ["nvme-tcp", "dm-multipath", "dm-service-time"]);
  assert.deepEqual(await lookAtNvme(host, ctx), {
    reason: "the running kernel has no module nvmet-tcp",
    loaded: [],
  });
  const whole = machine(t);
  const hasProgram = (name: string) => name !== "dmsetup";
  assert.deepEqual(await lookAtNvme({ ...whole.host, hasProgram }, ctx), {
    reason: "the program dmsetup is not installed",
    loaded: [],
  });
  assert.deepEqual([...commands, ...whole.commands], []);
});

test("lookAtNvme() gives the words of modprobe, which containers may not use", async (t) => {
  const { host } = machine(t);
  const exec: Exec = async ({ file }) => {
    throw new ExecError(file, { reason: "failed with exit code 1: Operation not permitted" });
  };
  const { reason } = await lookAtNvme({ ...host, exec }, ctx);
  assert.match(reason ?? "", /"modprobe": failed with exit code 1: Operation not permitted$/);
});

test("lookAtNvme() keeps away from exports and ports of others", async (t) => {
  for (const other of ["subsystems/nqn.2026-11.org.example:x", "ports/1"]) {
    const { host } = machine(t);
    mkdirSync(join(host.target, other));
    const { reason } = await lookAtNvme(host, ctx);
    const [kind, name] = other.split("/");
    assert.equal(reason, `the kernel's NVMe target is in use: ${kind} "${name}"`);
  }
  const { host } = machine(t);
  rmSync(host.target, { recursive: true });
  const { reason } = await lookAtNvme(host, ctx);
  assert.equal(reason, `"${host.target}" is missing: configfs is not mounted`);
});

test("lookAtNvme() keeps away from a machine on which a driver holds volumes", async (t) => {
  const { host, kernel } = machine(t);
  kernel.tree.attributes("block/dm-4/dm", { uuid: "rds-csi-nqn.2000-02.com.mikrotik:pvc-a.1-x" });
  kernel.tree.attributes("block/dm-5/dm", { uuid: "LVM-abc" });
  const { reason } = await lookAtNvme(host, ctx);
  assert.equal(reason, 'a driver holds a volume on this machine: "dm-4"');
});

test("lookAtNvme() keeps away from a port that somebody listens on", async (t) => {
  const { host } = machine(t);
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { reason } = await lookAtNvme({ ...host, port }, ctx);
  assert.match(reason ?? "", /^port \d+ of 127\.0\.0\.1 cannot be used: .*EADDRINUSE/);
});

test("lookAtNvme() wants native multipath, without which nothing is held", async (t) => {
  const { host, kernel } = machine(t);
  kernel.tree.attributes("module/nvme_core/parameters", { multipath: "N" });
  const { reason } = await lookAtNvme(host, ctx);
  assert.equal(reason, "native NVMe multipath is off");
});
