import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import type { Mount } from "#domain/ports/mounts.ts";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { NvmeKernel, type NvmeKernelOptions } from "#test/fakes/nvme-kernel.ts";
import { LinuxConnectionTraces } from "./connection-traces.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-12345678-1234-4123-8123-123456789abc" as Nqn;
const controller = "class/nvme/nvme0";

/** Somebody has connected by hand. */
async function rig(options: NvmeKernelOptions = {}) {
  const kernel = new NvmeKernel(options);
  const connect = async (subsystem: string, address = "10.0.0.1") => {
    kernel.export(subsystem, { sizeBytes: GiB, uuid: subsystem }, `${address}:4420`);
    const args = ["connect", `--traddr=${address}`, "--trsvcid=4420", `--nqn=${subsystem}`];
    await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, testContext());
  };
  await connect(nqn);
  const traces = new LinuxConnectionTraces(kernel.tree.sysfs);
  return { kernel, connect, traces, [Symbol.dispose]: () => kernel[Symbol.dispose]() };
}

function mountOf(source: string, majorMinor: string, fsType = "ext4"): Mount {
  return {
    target: "/staging",
    root: "/",
    majorMinor,
    fsType,
    source,
    options: ["rw"],
    superOptions: ["rw"],
  };
}

test("originOf() tells addresses, port and times of a connection", async () => {
  using it = await rig();
  await it.connect(nqn, "10.0.0.2");
  it.kernel.tree.attributes(controller, { ctrl_loss_tmo: 600, reconnect_delay: 10, kato: 5 });
  assert.deepEqual(it.traces.originOf(nqn), {
    target: { nqn, addresses: ["10.0.0.1", "10.0.0.2"], port: 4420 },
    connect: {
      ctrlLossTmoSeconds: 600,
      reconnectDelaySeconds: 10,
      keepAliveTmoSeconds: 5,
      nrIoQueues: undefined,
    },
  });
});

for (const [what, attributes] of [
  ["switched off", { ctrl_loss_tmo: "off", reconnect_delay: "off", kato: 0 }],
  ["not told by an old kernel", {}],
] as const)
  test(`originOf() tries for ever where the kernel's limits are ${what}`, async () => {
    using it = await rig();
    it.kernel.tree.attributes(controller, attributes);
    it.kernel.startOutage(nqn);
    assert.deepEqual(it.traces.originOf(nqn)?.connect, {
      ctrlLossTmoSeconds: -1,
      reconnectDelaySeconds: 5,
      keepAliveTmoSeconds: undefined,
      nrIoQueues: undefined,
    });
  });

test("originOf() knows nothing of what is not connected, or is being taken away", async () => {
  using it = await rig();
  assert.equal(it.traces.originOf(`${nqn}x` as Nqn), undefined);
  it.kernel.setState("nvme0", "deleting (no IO)");
  assert.equal(it.traces.originOf(nqn), undefined);
});

test("ownerOf() tells whose disk is mounted: by its number, also in an outage", async () => {
  using it = await rig();
  await it.connect(`${nqn}x`);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:1")), nqn);
  it.kernel.startOutage(nqn);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:1")), nqn);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:2")), `${nqn}x`, "the number counts");
});

test("ownerOf() tells whose disk was mounted that has gone, and of Btrfs, by its name", async () => {
  using it = await rig();
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "0:39", "btrfs")), nqn);
  it.kernel.loseControllers(nqn, true);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:1")), nqn);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme1n1", "259:7")), undefined);
  assert.equal(it.traces.ownerOf(mountOf("/dev/mapper/x", "253:0")), undefined);
});

test("ownerOf() does not go by names where native multipath is off, and they say nothing", async () => {
  using it = await rig({ multipath: false });
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:1")), nqn);
  it.kernel.loseControllers(nqn, true);
  assert.equal(it.traces.ownerOf(mountOf("/dev/nvme0n1", "259:1")), undefined);
});
