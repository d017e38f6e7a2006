import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { mkdirSync, rmSync } from "node:fs";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions } from "#domain/nvme-target.ts";
import { GiB } from "#lib/bytes.ts";
import type { Exec } from "#linux/exec.ts";
import { ExecError } from "#linux/exec-error.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { NvmeKernel, type NvmeKernelOptions } from "#test/fakes/nvme-kernel.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { Fabrics } from "./fabrics.ts";
import { NvmeInitiator } from "./nvme-initiator.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const other = "nqn.2000-02.com.mikrotik:pvc-b.1-abcdefgh" as Nqn;
const target = { nqn, addresses: ["10.0.0.1"], port: 4420 };
const twoPaths = { ...target, addresses: ["10.0.0.1", "10.0.0.2"] };
const options: ConnectOptions = {
  ctrlLossTmoSeconds: -1,
  reconnectDelaySeconds: 2,
  keepAliveTmoSeconds: undefined,
  nrIoQueues: undefined,
};
const identity = {
  hostNqn: "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-3333-4444-555555555555",
  hostId: "11111111-2222-3333-4444-555555555555",
};
const ctx = testContext();

function refused(words: string): ExecError {
  const stderr = `dd: error writing 'standard output': ${words}\n`;
  return new ExecError("dd", { reason: "failed with exit code 1", exitCode: 1, stderr });
}

/** An initiator on a fake kernel whose target exports `nqn` and `other`. */
function rig(kernelOptions: NvmeKernelOptions = {}, wrap: (exec: Exec) => Exec = (exec) => exec) {
  const kernel = new NvmeKernel(kernelOptions);
  kernel.export(nqn, { sizeBytes: GiB, uuid: "one" });
  kernel.export(other, { sizeBytes: 2 * GiB });
  const { dev, deviceNumberOf } = kernel;
  const host = { sysfs: kernel.tree.sysfs, dev, deviceNumberOf };
  const clock = new ManualClock();
  const fabrics = new Fabrics(wrap(kernel.exec), host);
  const initiator = new NvmeInitiator({ fabrics, host, identity, clock });
  return { kernel, clock, initiator, [Symbol.dispose]: () => kernel[Symbol.dispose]() };
}

test("connect() asks the kernel for exactly this subsystem, and findDevice() finds it", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  assert.deepEqual(it.kernel.commands, [
    `nqn=${nqn},transport=tcp,traddr=10.0.0.1,trsvcid=4420,hostnqn=${identity.hostNqn},hostid=${identity.hostId},ctrl_loss_tmo=-1,reconnect_delay=2 > nvme-fabrics`,
  ]);
  assert.equal((await it.initiator.findDevice(nqn, ctx))?.sizeBytes, GiB);
  assert.equal(await it.initiator.findDevice(other, ctx), undefined);
});

test("connect() hands over the optional limits", async () => {
  using it = rig();
  await it.initiator.connect(target, { ...options, keepAliveTmoSeconds: 5, nrIoQueues: 4 }, ctx);
  assert.match(it.kernel.commands[0] ?? "", /,keep_alive_tmo=5,nr_io_queues=4 > nvme-fabrics$/);
});

test("connect() does nothing when it is connected already", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  await it.initiator.connect(target, options, ctx);
  assert.equal(it.kernel.commands.length, 1);
  assert.deepEqual(it.kernel.controllersOf(nqn), ["nvme0"]);
});

test("connect() succeeds when somebody else connected in between", async () => {
  using it = rig({}, (exec) => async (request, context) => {
    await exec(request, context);
    return exec(request, context);
  });
  await it.initiator.connect(target, options, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), ["nvme0"]);
});

test("connect() rejects with unavailable and the kernel's words for an unknown NQN", async () => {
  using it = rig();
  it.kernel.unexport(nqn);
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: `Cannot connect "${nqn}" at 10.0.0.1 port 4420: the kernel says "Input/output error"`,
  });
  assert.equal(it.clock.slept, 0);
});

test("connect() says which connection has the same host NQN and another host id", async () => {
  using it = rig();
  const otherId = "99999999-2222-3333-4444-555555555555";
  const place = ["--traddr=10.0.0.1", "--trsvcid=4420", `--nqn=${other}`];
  const args = ["connect", ...place, `--hostnqn=${identity.hostNqn}`, `--hostid=${otherId}`];
  await it.kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, ctx);
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "failed-precondition",
    message: `Cannot connect "${nqn}": "nvme0" of "${other}" is connected as the same host NQN "${identity.hostNqn}" with another host id, "${otherId}" instead of "${identity.hostId}", and the kernel allows one host id each (the plugin needs the host's /etc/nvme)`,
  });
});

test("connect() waits for a controller that is reconnecting", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  it.kernel.startOutage(nqn);
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: `Cannot connect "${nqn}": nvme0 is "connecting"`,
  });
  assert.ok(it.clock.slept >= 10_000 && it.clock.slept < 11_000);
  assert.equal(it.kernel.commands.length, 1);
  it.kernel.endOutage(nqn);
  await it.initiator.connect(target, options, ctx);
});

test("connect() makes a new connection beside one that is being deleted", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  it.kernel.setState("nvme0", "deleting");
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect({ ...target, addresses: ["10.0.0.2"] }, options, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), ["nvme0", "nvme1"]);
  assert.ok(await it.initiator.findDevice(nqn, ctx));
});

test("connect() makes one connection per address", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), ["nvme0", "nvme1"]);
  assert.match((await it.initiator.findDevice(nqn, ctx))?.path ?? "", /nvme0n1$/);
});

test("connect() gives the kernel the address of a host name, and connects it once", async () => {
  using it = rig();
  const { address } = await lookup("localhost");
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, `${address}:4420`);
  const named = { ...target, addresses: ["localhost"] };
  await it.initiator.connect(named, options, ctx);
  await it.initiator.connect(named, options, ctx);
  assert.equal(it.kernel.commands.length, 1);
  assert.ok(it.kernel.commands[0]?.includes(`,traddr=${address},`));
});

test("connect() says which host name is unknown, and takes the other address", async () => {
  using it = rig();
  const unknown = { ...target, addresses: ["nowhere.invalid"] };
  await assert.rejects(it.initiator.connect(unknown, options, ctx), {
    kind: "unavailable",
    message:
      /^Cannot connect ".*" at nowhere\.invalid port 4420: the resolver does not find "nowhere\.invalid" \(E\w+\)$/,
  });
  await it.initiator.connect(
    { ...target, addresses: ["nowhere.invalid", "10.0.0.1"] },
    options,
    ctx,
  );
  assert.equal(it.kernel.commands.length, 1);
});

test("connect() does not wait for a resolver longer than its call", async () => {
  using it = rig();
  const unknown = { ...target, addresses: ["nowhere.invalid"] };
  await assert.rejects(
    it.initiator.connect(unknown, options, { ...ctx, signal: AbortSignal.abort() }),
    { kind: "deadline-exceeded", message: /: the resolver gave no answer for "nowhere.invalid"$/ },
  );
});

test("connect() says that the kernel has not answered, and what was asked", async () => {
  using it = rig({}, () => async () => {
    throw new ExecError("dd", { reason: "did not end within 30 s", timedOut: true });
  });
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: `Cannot connect "${nqn}" at 10.0.0.1 port 4420: the kernel gave no answer (dd did not end within 30 s)`,
  });
});

test("connect() tells why the kernel's file cannot be opened, as any other refusal", async () => {
  using it = rig();
  const device = `${it.kernel.dev}/nvme-fabrics`;
  rmSync(device);
  mkdirSync(device);
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message:
      /^Cannot connect ".*" at 10\.0\.0\.1 port 4420: the kernel cannot be told: EISDIR: .*nvme-fabrics'$/,
  });
});

test("connect() is content with one live path, and logs the other", async () => {
  using it = rig();
  const log = new RecordingLog();
  await it.initiator.connect(twoPaths, options, testContext({ log }));
  const warnings = log.records.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ message, fields }) => [message, fields["address"]]),
    [["Cannot connect a path", "10.0.0.2"]],
  );
});

test("connect() makes a single connection where native multipath is off", async () => {
  using it = rig({ multipath: false });
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), ["nvme0"]);
});

test("connect() takes the next address where native multipath is off", async () => {
  using it = rig({ multipath: false });
  it.kernel.unexport(nqn);
  it.kernel.export(nqn, { sizeBytes: GiB }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  assert.ok(await it.initiator.findDevice(nqn, ctx));
});

test("connect() says which module is missing", async () => {
  using it = rig();
  rmSync(`${it.kernel.dev}/nvme-fabrics`);
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "failed-precondition",
    message: /nvme-fabrics" is missing, the kernel module nvme-tcp is not loaded$/,
  });
  assert.deepEqual(it.kernel.commands, []);
});

test("connect() says so when no controller appears at all", async () => {
  using it = rig({}, () => async () => ({ stdout: "", stderr: "" }));
  await assert.rejects(it.initiator.connect(target, options, ctx), {
    kind: "unavailable",
    message: `Cannot connect "${nqn}": there is no controller`,
  });
});

test("rescan() asks live controllers of this NQN only", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  await it.initiator.connect({ ...target, nqn: other }, options, ctx);
  await it.initiator.rescan(nqn, ctx);
  const asked = (name: string) =>
    it.kernel.tree.sysfs.read("class", "nvme", name, "rescan_controller");
  assert.deepEqual([asked("nvme0"), asked("nvme1")], ["1", ""]);
});

test("rescan() shows the device of an orphaned subsystem, and a new size", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  it.kernel.startOutage(nqn);
  it.kernel.export(nqn, { sizeBytes: 3 * GiB, uuid: "two" });
  it.kernel.endOutage(nqn);
  assert.equal(await it.initiator.findDevice(nqn, ctx), undefined);
  await it.initiator.rescan(nqn, ctx);
  it.kernel.rescan();
  assert.equal((await it.initiator.findDevice(nqn, ctx))?.sizeBytes, 3 * GiB);
});

test("rescan() rejects with unavailable without a live controller", async () => {
  using it = rig();
  await assert.rejects(it.initiator.rescan(nqn, ctx), {
    kind: "unavailable",
    message: `Cannot rescan "${nqn}": no live controller`,
  });
});

test("reset() makes every live connection of this NQN anew, and no other", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  await it.initiator.connect({ ...target, nqn: other }, options, ctx);
  it.kernel.setState(it.kernel.controllersOf(nqn)[1] ?? "", "connecting");
  await it.initiator.reset(nqn, 0, ctx);
  assert.deepEqual(it.kernel.commands.slice(3), ["1 > reset_controller"]);
  assert.equal(it.kernel.controllersOf(nqn).length, 2);
});

for (const multipath of [true, false])
  test(`reset() leaves a connection alone that has commands under way, ${multipath ? "with" : "without"} native multipath`, async () => {
    using it = rig({ multipath });
    await it.initiator.connect(target, options, ctx);
    const [name = ""] = it.kernel.controllersOf(nqn);
    const busy = {
      kind: "unavailable",
      message: `Cannot reset the connection to "${nqn}": commands are under way at nvme0, which the target may still carry out`,
    };
    for (const inflight of ["       1        0", "       0       12", ""]) {
      it.kernel.setBusy(name, inflight);
      await assert.rejects(it.initiator.reset(nqn, 0, ctx), busy);
    }
    it.kernel.setBusy(name, "       0        0", false);
    await assert.rejects(it.initiator.reset(nqn, 0, ctx), busy, "nobody counts");
    await assert.rejects(it.initiator.reset(nqn, 35_000, ctx), busy, "the kernel may have sent it");
    assert.equal(it.kernel.commands.length, 1, "nothing but the connect");
    await it.initiator.reset(nqn, 35_001, ctx);
    assert.equal(it.kernel.commands.at(-1), "1 > reset_controller");
    it.kernel.setBusy(name, "       0        0");
    await it.initiator.reset(nqn, 0, ctx);
    assert.equal(it.kernel.commands.at(-1), "1 > reset_controller");
  });

test("reset() makes one of two connections anew while the other one has commands under way", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  it.kernel.setBusy(it.kernel.controllersOf(nqn)[0] ?? "", "       0        3");
  await it.initiator.reset(nqn, 0, ctx);
  assert.deepEqual(it.kernel.commands.slice(2), ["1 > reset_controller"]);
});

test("reset() rejects with unavailable without a live controller, and with the kernel's words", async () => {
  using it = rig({}, (exec) => async (request, context) => {
    if (request.input === "1") throw refused("Network dropped connection on reset");
    return exec(request, context);
  });
  const act = `Cannot reset the connection to "${nqn}"`;
  const none = { kind: "unavailable", message: `${act}: no live controller` };
  await assert.rejects(it.initiator.reset(nqn, 0, ctx), none);
  await it.initiator.connect(target, options, ctx);
  await assert.rejects(it.initiator.reset(nqn, 0, ctx), {
    kind: "unavailable",
    message: `${act}: the kernel says "Network dropped connection on reset"`,
  });
  it.kernel.startOutage(nqn);
  await assert.rejects(it.initiator.reset(nqn, 0, ctx), none);
});

test("disconnect() removes every controller of this NQN and no other", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.initiator.connect(twoPaths, options, ctx);
  await it.initiator.connect({ ...target, nqn: other }, options, ctx);
  await it.initiator.disconnect(nqn, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), []);
  assert.equal(it.kernel.controllersOf(other).length, 1);
  assert.deepEqual(it.kernel.commands.slice(-2), Array(2).fill("1 > delete_controller"));
});

test("disconnect() of what is not connected runs nothing", async () => {
  using it = rig();
  await it.initiator.disconnect(nqn, ctx);
  assert.deepEqual(it.kernel.commands, []);
});

test("disconnect() removes a controller that is reconnecting", async () => {
  using it = rig();
  await it.initiator.connect(target, options, ctx);
  it.kernel.startOutage(nqn);
  await it.initiator.disconnect(nqn, ctx);
  assert.deepEqual(it.kernel.controllersOf(nqn), []);
});

test("disconnect() rejects with unavailable while sysfs still shows a controller", async () => {
  using it = rig({ disconnectHangs: true });
  await it.initiator.connect(target, options, ctx);
  await assert.rejects(it.initiator.disconnect(nqn, ctx), {
    kind: "unavailable",
    message: `Cannot disconnect "${nqn}": nvme0 is "deleting (no IO)"`,
  });
});

test("disconnect() tells what the kernel said when the controller stays", async () => {
  using it = rig({}, (exec) => async (request, context) => {
    if (request.input === "1") throw refused("Device or resource busy");
    return exec(request, context);
  });
  await it.initiator.connect(target, options, ctx);
  await assert.rejects(it.initiator.disconnect(nqn, ctx), {
    kind: "unavailable",
    message: /: nvme0 is "live"; the kernel says "Device or resource busy"$/,
  });
});

test("disconnect() believes sysfs, not what a write said", async () => {
  using it = rig({}, (exec) => async (request, context) => {
    await exec(request, context);
    return request.input === "1" ? exec(request, context) : { stdout: "", stderr: "" };
  });
  await it.initiator.connect(target, options, ctx);
  await it.initiator.disconnect(nqn, ctx);
  assert.equal(it.kernel.commands.length, 3);
});

test("disconnect() and reset() leave a controller alone that is another one by the time its file is open", async () => {
  using it = rig();
  await it.initiator.connect({ ...target, nqn: other }, options, ctx);
  const [name = ""] = it.kernel.controllersOf(other);
  const { dev, deviceNumberOf, tree } = it.kernel;
  const fabrics = new Fabrics(it.kernel.exec, { sysfs: tree.sysfs, dev, deviceNumberOf });
  await fabrics.disconnect({ name, state: "live", address: "" }, nqn, ctx);
  await fabrics.reset({ name, state: "live", address: "" }, nqn, ctx);
  assert.equal(it.kernel.commands.length, 1);
  assert.deepEqual(it.kernel.controllersOf(other), [name]);
});

test("connect() refuses values that the kernel would read as more than one option", async () => {
  using it = rig();
  for (const wrong of [`${nqn},hostid=other`, `${nqn}\n`, ""])
    await assert.rejects(it.initiator.connect({ ...target, nqn: wrong as Nqn }, options, ctx), {
      kind: "invalid-argument",
      message: /^Cannot connect: nqn ".*" is empty, or has a comma or a space$/s,
    });
  assert.deepEqual(it.kernel.commands, []);
});
