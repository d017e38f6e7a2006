import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { GiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { NvmeKernel } from "#test/fakes/nvme-kernel.ts";
import { LinuxConnections } from "./connections.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const other = "nqn.2000-02.com.mikrotik:pvc-b.1-abcdefgh" as Nqn;
const disk = "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1";

function rig() {
  const kernel = new NvmeKernel();
  const clock = new ManualClock();
  kernel.export(nqn, { sizeBytes: GiB, uuid: "one" });
  kernel.export(other, { sizeBytes: 2 * GiB, uuid: "two" });
  const { dev, deviceNumberOf } = kernel;
  const connections = new LinuxConnections(
    { sysfs: kernel.tree.sysfs, dev, deviceNumberOf },
    clock,
  );
  return {
    kernel,
    connect: async (subsystem = nqn, address = "10.0.0.1") => {
      const args = ["connect", `--traddr=${address}`, "--trsvcid=4420", `--nqn=${subsystem}`];
      await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, testContext());
      clock.advance(1_000);
    },
    /** A second later, past every memory of the last look. */
    observe: (subsystem = nqn) => {
      clock.advance(1_000);
      return connections.observe(subsystem);
    },
    forget: () => connections.forget(nqn),
    [Symbol.dispose]: () => kernel[Symbol.dispose](),
  };
}

test("observe() shows a live connection with its device and the namespace's identity", async () => {
  using it = rig();
  await it.connect();
  it.kernel.tree.attributes(disk, { wwid: "uuid.one" });
  for (let look = 0; look < 3; look++)
    assert.deepEqual(it.observe(), {
      state: "live",
      laggard: false,
      paths: 1,
      device: {
        nqn,
        path: `${it.kernel.dev}/nvme0n1`,
        majorMinor: "259:1",
        sizeBytes: GiB,
        blockBytes: 512,
        identity: "uuid.one",
      },
    });
});

test("observe() shows none for what was never connected, and for what the kernel gave up", async () => {
  using it = rig();
  assert.deepEqual(it.observe(), { state: "none", device: undefined });
  await it.connect();
  assert.equal(it.observe().state, "live");
  it.kernel.loseControllers(nqn, true);
  assert.deepEqual(it.observe(), { state: "none", device: undefined });
});

test("observe() shows none for a controller that is being deleted", async () => {
  using it = rig();
  await it.connect();
  it.kernel.setState("nvme0", "deleting (no IO)");
  assert.equal(it.observe().state, "none");
});

test("observe() sees an outage begin and end", async () => {
  using it = rig();
  await it.connect();
  const before = it.observe();
  it.kernel.startOutage(nqn);
  assert.deepEqual(it.observe(), { state: "connecting", device: undefined });
  it.kernel.endOutage(nqn);
  assert.deepEqual(it.observe(), before);
});

test("observe() shows an orphan as live without a device, and its new device after a rescan", async () => {
  using it = rig();
  await it.connect();
  assert.equal(it.observe().device?.majorMinor, "259:1");
  it.kernel.startOutage(nqn);
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "another" });
  it.kernel.endOutage(nqn);
  assert.deepEqual(it.observe(), {
    state: "live",
    device: undefined,
    laggard: false,
    paths: 1,
  });
  it.kernel.tree.sysfs.write("1", "class", "nvme", "nvme0", "rescan_controller");
  it.kernel.rescan();
  assert.equal(it.observe().device?.path, `${it.kernel.dev}/nvme0n2`);
});

test("observe() notices at the next look that a device has grown", async () => {
  using it = rig();
  await it.connect();
  assert.equal(it.observe().device?.sizeBytes, GiB);
  it.kernel.tree.attributes(disk, { size: (2 * GiB) / 512 });
  assert.equal(it.observe().device?.sizeBytes, 2 * GiB);
});

test("observe() follows two volumes that swap names, at the very next look", async () => {
  using it = rig();
  await it.connect(nqn);
  await it.connect(other);
  assert.match(it.observe(nqn).device?.path ?? "", /nvme0n1$/);
  assert.match(it.observe(other).device?.path ?? "", /nvme1n1$/);
  it.kernel.loseControllers(nqn, false);
  it.kernel.loseControllers(other, false);
  await it.connect(other);
  await it.connect(nqn);
  assert.match(it.observe(nqn).device?.path ?? "", /nvme1n1$/);
  assert.match(it.observe(other).device?.path ?? "", /nvme0n1$/);
  assert.equal(it.observe(other).device?.sizeBytes, 2 * GiB);
});

test("observe() tells of a second controller that does not answer", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.connect(nqn);
  await it.connect(nqn, "10.0.0.2");
  assert.deepEqual([it.observe().state, it.observe().laggard], ["live", false]);
  it.kernel.setState("nvme1", "connecting");
  assert.deepEqual([it.observe().state, it.observe().laggard], ["live", true]);
});

test("observe() counts a path that was added after forget(), and one that the kernel gave up at once", async () => {
  using it = rig();
  it.kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  await it.connect();
  assert.equal(it.observe().paths, 1);
  await it.connect(nqn, "10.0.0.2");
  it.forget();
  assert.equal(it.observe().paths, 2);
  it.kernel.giveUp("nvme1");
  assert.equal(it.observe().paths, 1);
});
