import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { GiB } from "#lib/bytes.ts";
import { silentLog } from "#lib/log.ts";
import { NvmeKernel } from "#test/fakes/nvme-kernel.ts";
import { Namespaces } from "./namespaces.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const other = "nqn.2000-02.com.mikrotik:pvc-b.1-abcdefgh" as Nqn;
const ctx = { signal: new AbortController().signal, log: silentLog };

async function connect(kernel: NvmeKernel, subsystem: Nqn): Promise<void> {
  const args = ["connect", "--traddr=10.0.0.1", "--trsvcid=4420", `--nqn=${subsystem}`];
  await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, ctx);
}

async function connected(options: { readonly multipath?: boolean } = {}): Promise<NvmeKernel> {
  const kernel = new NvmeKernel(options);
  kernel.export(nqn, { sizeBytes: GiB, uuid: "one" });
  kernel.export(other, { sizeBytes: 2 * GiB });
  await connect(kernel, nqn);
  return kernel;
}

/** One that lives as long as the kernel, so that every test also is one of its hints. */
const finders = new WeakMap<NvmeKernel, Namespaces>();

function find(kernel: NvmeKernel, subsystem = nqn) {
  const { deviceNumberOf, dev } = kernel;
  const made = () => new Namespaces({ sysfs: kernel.tree.sysfs, dev, deviceNumberOf });
  const finder = finders.get(kernel) ?? made();
  finders.set(kernel, finder);
  const device = finder.find(subsystem);
  assert.deepEqual(device, made().find(subsystem), "a hint changes nothing");
  return device;
}

function nameOf(kernel: NvmeKernel, subsystem = nqn): string | undefined {
  return find(kernel, subsystem)?.path.slice(kernel.dev.length + 1);
}

for (const multipath of [true, false])
  test(`find() finds a live device, multipath ${multipath ? "on" : "off"}`, async () => {
    using kernel = await connected({ multipath });
    assert.deepEqual(find(kernel), {
      nqn,
      path: `${kernel.dev}/nvme0n1`,
      majorMinor: "259:1",
      sizeBytes: GiB,
      blockBytes: 512,
    });
  });

test("find() tells the logical block size", async () => {
  using kernel = new NvmeKernel();
  kernel.export(nqn, { sizeBytes: GiB, blockBytes: 4096 });
  await connect(kernel, nqn);
  assert.equal(find(kernel)?.blockBytes, 4096);
});

test("find() finds nothing for an NQN that is not connected", async () => {
  using kernel = await connected();
  assert.equal(find(kernel, other), undefined);
});

for (const state of ["new", "connecting", "resetting", "deleting", "deleting (no IO)", "dead"])
  test(`find() does not use a controller that is ${state}`, async () => {
    using kernel = await connected();
    kernel.setState("nvme0", state);
    assert.equal(find(kernel), undefined);
  });

test("find() uses the live controller beside a dying one", async () => {
  using kernel = await connected();
  kernel.setState("nvme0", "deleting");
  kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  const args = ["connect", "--traddr=10.0.0.2", "--trsvcid=4420", `--nqn=${nqn}`];
  await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, ctx);
  assert.deepEqual(kernel.controllersOf(nqn), ["nvme0", "nvme1"]);
  assert.equal(nameOf(kernel), "nvme0n1");
});

test("find() finds nothing in an orphaned subsystem, and the new device after a rescan", async () => {
  using kernel = await connected();
  kernel.startOutage(nqn);
  kernel.export(nqn, { sizeBytes: GiB, uuid: "two" });
  kernel.endOutage(nqn);
  assert.deepEqual(kernel.controllersOf(nqn), ["nvme0"]);
  assert.equal(find(kernel), undefined);
  kernel.tree.sysfs.write("1", "class", "nvme", "nvme0", "rescan_controller");
  kernel.rescan();
  assert.equal(nameOf(kernel), "nvme0n2");
});

test("find() finds a device that came back renumbered while a mount holds the old one", async () => {
  using kernel = await connected();
  kernel.loseControllers(nqn, true);
  assert.equal(find(kernel), undefined);
  await connect(kernel, nqn);
  assert.deepEqual(kernel.tree.sysfs.list("class", "nvme"), ["nvme1"]);
  assert.ok(kernel.tree.sysfs.exists("class", "nvme", "nvme1", "nvme0c1n2"));
  assert.equal(nameOf(kernel), "nvme0n2");
});

test("find() finds it with multipath off too, past a dangling link", async () => {
  using kernel = await connected({ multipath: false });
  kernel.loseControllers(nqn, true);
  await connect(kernel, nqn);
  const { sysfs } = kernel.tree;
  assert.ok(sysfs.list("class", "nvme-subsystem", "nvme-subsys0").includes("nvme0"));
  assert.equal(sysfs.exists("class", "nvme-subsystem", "nvme-subsys0", "nvme0"), false);
  assert.equal(nameOf(kernel), "nvme1n2");
});

test("find() follows two devices that swapped names", async () => {
  using kernel = await connected();
  await connect(kernel, other);
  assert.deepEqual([nameOf(kernel, nqn), nameOf(kernel, other)], ["nvme0n1", "nvme1n1"]);
  kernel.loseControllers(nqn, false);
  kernel.loseControllers(other, false);
  await connect(kernel, other);
  await connect(kernel, nqn);
  assert.deepEqual([nameOf(kernel, nqn), nameOf(kernel, other)], ["nvme1n1", "nvme0n1"]);
  assert.equal(find(kernel, other)?.sizeBytes, 2 * GiB);
});

test("find() believes the disk, not the name, about whose it is", async () => {
  using kernel = await connected();
  const subsystem = "devices/virtual/nvme-subsystem/nvme-subsys0";
  kernel.tree.attributes(subsystem, { subsysnqn: other });
  assert.equal(find(kernel), undefined);
});

test("find() waits for size, number and node of a device that is just appearing", async () => {
  using kernel = await connected();
  const disk = "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1";
  kernel.tree.attributes(disk, { size: 0 });
  assert.equal(find(kernel), undefined);
  kernel.tree.attributes(disk, { size: 2048, dev: "259:9" });
  assert.equal(find(kernel), undefined, "the node still is that of another device");
  kernel.tree.remove(`${disk}/dev`);
  assert.equal(find(kernel), undefined);
});

test("find() does not choose between two disks of one NQN", async () => {
  using kernel = await connected({ multipath: false });
  kernel.export(nqn, { sizeBytes: GiB, uuid: "one" }, "10.0.0.2:4420");
  const args = ["connect", "--traddr=10.0.0.2", "--trsvcid=4420", `--nqn=${nqn}`];
  await kernel.exec({ file: "nvme", args, timeoutMs: 1_000 }, ctx);
  assert.throws(() => find(kernel), {
    kind: "failed-precondition",
    message: /^Cannot choose the device of ".*": it shows ".*nvme0n1" and ".*nvme1n1"$/,
  });
});
