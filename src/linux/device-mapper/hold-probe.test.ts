import assert from "node:assert/strict";
import { test } from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { DmKernel } from "#test/fakes/dm-kernel.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { exitCode, ScriptedExec } from "#test/fakes/scripted-exec.ts";
import { SysfsTree } from "#test/fakes/sysfs-tree.ts";
import { Dmsetup } from "./dmsetup.ts";
import { LinuxHoldProbe } from "./hold-probe.ts";

const ctx = testContext();

test("probe() tells of nothing missing when a table could be loaded, and takes its devices away", async () => {
  using kernel = new DmKernel();
  kernel.tree.attributes("module/dm_multipath/parameters", { queue_if_no_path_timeout_secs: 30 });
  kernel.tree.attributes("module/nvme_core/parameters", { multipath: "Y" });
  kernel.addDisk("253:0", 4096);
  const probe = new LinuxHoldProbe(new Dmsetup(kernel.exec), kernel.tree.sysfs);
  assert.deepEqual(await probe.probe(ctx), {
    missing: undefined,
    queueTimeoutSeconds: 30,
    nativeMultipath: true,
  });
  assert.deepEqual(kernel.names(), []);
});

test("probe() says what dmsetup said, and takes away what it had made", async () => {
  using kernel = new DmKernel();
  kernel.addDisk("253:0", 4096);
  kernel.faults.push({ verb: "load", failure: exitCode(1, "Invalid argument") });
  const probe = new LinuxHoldProbe(new Dmsetup(kernel.exec), kernel.tree.sysfs);
  assert.deepEqual(await probe.probe(ctx), {
    missing: "Cannot make a hold: dmsetup failed with exit code 1: Invalid argument",
    queueTimeoutSeconds: 0,
    nativeMultipath: false,
  });
  assert.deepEqual(kernel.names(), []);
});

test("two probes at the same time do not take each other's devices for a missing module", async () => {
  using kernel = new DmKernel();
  for (let minor = 0; minor < 8; minor++) kernel.addDisk(`253:${minor}`, 4096);
  const found = await Promise.all(
    Array.from({ length: 4 }, () =>
      new LinuxHoldProbe(new Dmsetup(kernel.exec), kernel.tree.sysfs).probe(ctx),
    ),
  );
  assert.deepEqual(
    found.map(({ missing }) => missing),
    [undefined, undefined, undefined, undefined],
  );
  assert.deepEqual(kernel.names(), []);
});

test("probe() takes away what a killed one left, and leaves one that is under way alone", async () => {
  using kernel = new DmKernel();
  const clock = new ManualClock();
  const dmsetup = new Dmsetup(kernel.exec);
  const underWay = `rds-csi-probe-${clock.elapsed() - 5_000}-bbbbbbbb`;
  const killed = `rds-csi-probe-${clock.elapsed() - 61_000}-aaaaaaaa`;
  for (const name of [killed, underWay, "vg-root"]) await dmsetup.createWithoutTable(name, ctx);
  await new LinuxHoldProbe(dmsetup, kernel.tree.sysfs, clock).probe(ctx);
  assert.deepEqual(kernel.names(), [underWay, "vg-root"]);
});

test("probe() says that dmsetup is not installed; a call that has ended says nothing", async () => {
  using tree = new SysfsTree();
  const reason = "is not installed (package dmsetup)";
  const none = new ScriptedExec(() => ({ reason, notInstalled: true }));
  const probe = new LinuxHoldProbe(new Dmsetup(none.exec), tree.sysfs);
  const { missing } = await probe.probe(ctx);
  assert.equal(missing, `Cannot make a hold: dmsetup ${reason}`);
  const ended = new ScriptedExec(() => ({ reason: "was ended with the call", aborted: true }));
  await assert.rejects(new LinuxHoldProbe(new Dmsetup(ended.exec), tree.sysfs).probe(ctx), {
    kind: "deadline-exceeded",
  });
});

test("probe() takes silence for no answer, and begins nothing more after it", async () => {
  using kernel = new DmKernel();
  const silence = { reason: "did not end within 10 s", timedOut: true };
  const missing = "Cannot make a hold: dmsetup did not end within 10 s";
  const probe = new LinuxHoldProbe(new Dmsetup(kernel.exec), kernel.tree.sysfs);
  for (const verb of ["info", "create", "load"]) {
    kernel.verbs.length = 0;
    kernel.faults.push({ verb, failure: silence });
    const found = await probe.probe(ctx);
    assert.deepEqual([found.missing, found.unanswered], [missing, true]);
    if (verb === "info") assert.deepEqual(kernel.verbs, ["info"]);
    assert.deepEqual(kernel.names(), []);
  }
  const killed = { reason: "failed with signal SIGKILL", signal: "SIGKILL" } as const;
  kernel.faults.push({ verb: "create", failure: killed });
  assert.equal((await probe.probe(ctx)).unanswered, true);
});
