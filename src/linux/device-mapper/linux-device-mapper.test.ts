import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlockDevice } from "#domain/block-device.ts";
import type { Nqn } from "#domain/nqn.ts";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { DmKernel } from "#test/fakes/dm-kernel.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { Sysfs } from "../sysfs.ts";
import { Dmsetup } from "./dmsetup.ts";
import { holdName } from "./hold-name.ts";
import { LinuxDeviceMapper } from "./linux-device-mapper.ts";
import { formatTable } from "./multipath-table.ts";

const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const name = holdName(nqn);
const ctx = testContext();

class CountedSysfs extends Sysfs {
  reads = 0;
  override read(...path: readonly string[]): string | undefined {
    this.reads += 1;
    return super.read(...path);
  }
}

function setUp() {
  const kernel = new DmKernel();
  const { tree, dev, deviceNumberOf } = kernel;
  const dmsetup = new Dmsetup(kernel.exec);
  const sysfs = new CountedSysfs(tree.root);
  const holds = new LinuxDeviceMapper({ dmsetup, sysfs, dev, deviceNumberOf });
  const disk = (majorMinor: string, sizeBytes = 64 * MiB, blockBytes = 4096): BlockDevice => {
    kernel.addDisk(majorMinor, sizeBytes, blockBytes);
    return { nqn, path: "/dev/nvme0n1", majorMinor, sizeBytes, blockBytes };
  };
  return { kernel, sysfs, holds, disk, [Symbol.dispose]: () => kernel[Symbol.dispose]() };
}

test("create() makes a hold that find() and list() show, and the same call again changes nothing", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  const device = world.disk("259:1");
  const hold = await holds.create(device, ctx);
  assert.deepEqual(hold, {
    nqn,
    path: `${kernel.dev}/dm-0`,
    majorMinor: "253:0",
    sizeBytes: 64 * MiB,
    suspended: false,
  });
  assert.deepEqual(await holds.create(device, ctx), hold);
  assert.deepEqual(await holds.find(nqn, ctx), hold);
  assert.deepEqual(await holds.list(ctx), [hold]);
  assert.equal(kernel.verbs.filter((verb) => verb === "create").length, 1);
});

test("find() reads the same few attributes beside three holds as beside three hundred", async () => {
  const readsBeside = async (count: number) => {
    using world = setUp();
    const { holds, kernel, sysfs } = world;
    for (let index = 0; index < count; index++) {
      const other = holdName(`nqn.2000-02.com.mikrotik:pvc-b${index}.1-abcdefgh` as Nqn);
      kernel.tree.attributes(`block/dm-${index + 1}/dm`, { uuid: other });
    }
    const hold = await holds.create(world.disk("259:1"), ctx);
    const before = sysfs.reads;
    assert.deepEqual(await holds.find(nqn, ctx), hold);
    return sysfs.reads - before;
  };
  assert.equal(await readsBeside(300), await readsBeside(3));
});

test("find() looks for a hold that was made anew under another number", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  await holds.remove(nqn, ctx);
  kernel.tree.attributes("block/dm-0", { dev: "253:0", size: 8 });
  kernel.tree.attributes("block/dm-0/dm", { uuid: "LVM-abc", suspended: 0 });
  assert.equal(await holds.find(nqn, ctx), undefined);
  kernel.tree.attributes("block/dm-7", { dev: "253:7", size: 8 });
  kernel.tree.attributes("block/dm-7/dm", { uuid: name, suspended: 0 });
  assert.equal((await holds.find(nqn, ctx))?.majorMinor, "253:7");
});

test("create() replaces what an interrupted create() left without a table", async () => {
  using world = setUp();
  const device = world.disk("259:1");
  await new Dmsetup(world.kernel.exec).createWithoutTable(name, ctx);
  assert.equal(await world.holds.find(nqn, ctx), undefined);
  assert.equal((await world.holds.create(device, ctx)).sizeBytes, 64 * MiB);
});

test("create() and remove() get past a hold that was cut short between its table and its use", async () => {
  using world = setUp();
  const device = world.disk("259:1");
  const dmsetup = new Dmsetup(world.kernel.exec);
  const cutShort = async () => {
    await dmsetup.createWithoutTable(name, ctx);
    await dmsetup.load(name, formatTable((64 * MiB) / 512, "259:1"), ctx);
    assert.deepEqual(world.kernel.tree.sysfs.list("dev", "block", "259:1", "holders"), ["dm-0"]);
  };
  await cutShort();
  assert.equal(await world.holds.find(nqn, ctx), undefined, "it has no size");
  assert.equal((await world.holds.create(device, ctx)).sizeBytes, 64 * MiB);
  await world.holds.remove(nqn, ctx);
  await cutShort();
  await world.holds.remove(nqn, ctx);
  assert.deepEqual(world.kernel.tree.sysfs.list("dev", "block", "259:1", "holders"), []);
});

test("remove() of an NQN that no hold can carry has nothing to do", async () => {
  using world = setUp();
  await world.holds.remove(`nqn.2000-02.com.mikrotik:${"x".repeat(95)}` as Nqn, ctx);
  assert.deepEqual(world.kernel.verbs, []);
});

test("create() and swap() refuse a device of which somebody uses a partition, by name", async () => {
  using world = setUp();
  await world.holds.create(world.disk("259:1"), ctx);
  const other = world.disk("259:4");
  world.kernel.tree.attributes("dev/block/259:4/nvme4n1p2", { partition: 2, "holders/dm-7": "" });
  world.kernel.tree.attributes("block/dm-7/dm", { name: "guest-root" });
  const refusal = {
    kind: "failed-precondition",
    message: /259:4 is in use by "dm-7" \(guest-root\)$/,
  };
  await assert.rejects(
    world.holds.swap(other, () => true, ctx),
    refusal,
  );
  await world.holds.remove(nqn, ctx);
  await assert.rejects(world.holds.create(other, ctx), refusal);
});

test("create() refuses a device in use, and leaves no hold", async () => {
  using world = setUp();
  const device = world.disk("259:1");
  world.kernel.tree.attributes("dev/block/259:1/holders/dm-7", {});
  world.kernel.tree.attributes("block/dm-7/dm", { name: "vg0-root" });
  await assert.rejects(world.holds.create(device, ctx), {
    kind: "failed-precondition",
    message: `Cannot hold "${nqn}": 259:1 is in use by "dm-7" (vg0-root)`,
  });
  world.kernel.tree.remove("dev/block/259:1/holders/dm-7");
  world.kernel.mountDisk("259:1");
  await assert.rejects(world.holds.create(device, ctx), { kind: "unavailable" });
  assert.deepEqual(await world.holds.list(ctx), []);
});

test("create() refuses an NQN that the name of a device cannot carry, before any call", async () => {
  using world = setUp();
  const long = `nqn.2000-02.com.mikrotik:${"x".repeat(95)}` as Nqn;
  await assert.rejects(world.holds.create({ ...world.disk("259:1"), nqn: long }, ctx), {
    kind: "failed-precondition",
    message: /: its NQN has 120 characters, more than the name of a device can carry$/,
  });
  assert.deepEqual(world.kernel.verbs, []);
});

test("create() refuses when its node is not in /dev", async () => {
  using world = setUp();
  world.kernel.hostDev = false;
  await assert.rejects(world.holds.create(world.disk("259:1"), ctx), {
    kind: "failed-precondition",
    message: /dm-0" is not 253:0; ".*" must be the host's$/,
  });
});

test("create() refuses an NQN whose hold lies elsewhere", async () => {
  using world = setUp();
  await world.holds.create(world.disk("259:1"), ctx);
  await assert.rejects(world.holds.create(world.disk("259:2"), ctx), {
    kind: "already-exists",
    message: `Cannot hold "${nqn}": it lies on 259:1, not on 259:2`,
  });
});

test("find() and list() leave out devices that are not ours", async () => {
  using world = setUp();
  world.kernel.tree.attributes("block/dm-9", { dev: "253:9", size: 8 });
  world.kernel.tree.attributes("block/dm-9/dm", { uuid: "mpath-36001405", suspended: 0 });
  world.kernel.tree.attributes("block/nvme0n1", { dev: "259:1", size: 8 });
  await world.holds.create(world.disk("259:1"), ctx);
  assert.deepEqual(
    (await world.holds.list(ctx)).map((hold) => hold.nqn),
    [nqn],
  );
});

test("status() tells paths and queue; remove() says when it is open", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.failPaths(name);
  kernel.open(name);
  await holds.failQueue(nqn, ctx);
  assert.deepEqual(await holds.status(nqn, ctx), {
    device: "259:1",
    paths: ["failed", "failed"],
    queueing: false,
  });
  await assert.rejects(holds.remove(nqn, ctx), {
    kind: "unavailable",
    message: `Cannot remove hold "${nqn}": it is open`,
  });
  await holds.reinstate(nqn, ctx);
  await holds.queueAgain(nqn, ctx);
  const { paths, queueing } = await holds.status(nqn, ctx);
  assert.deepEqual([...paths, queueing], ["active", "active", true]);
});

test("every change of a hold that is not there is not-found, and remove() succeeds", async () => {
  using world = setUp();
  const { holds } = world;
  const device = world.disk("259:1");
  await holds.remove(nqn, ctx);
  for (const call of [
    holds.status(nqn, ctx),
    holds.swap(device, () => true, ctx),
    holds.grow(device, ctx),
    holds.resume(nqn, ctx),
    holds.reinstate(nqn, ctx),
    holds.passErrors(nqn, ctx),
    holds.failQueue(nqn, ctx),
    holds.queueAgain(nqn, ctx),
  ])
    await assert.rejects(call, { kind: "not-found", message: /there is none$/ });
});

test("swap() puts the hold on another device, keeps its length, and queues again", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.removeDisk("259:1");
  kernel.failPaths(name);
  await holds.failQueue(nqn, ctx);
  await holds.swap(world.disk("259:2", 96 * MiB), () => true, ctx);
  assert.deepEqual(await holds.status(nqn, ctx), {
    device: "259:2",
    paths: ["active", "active"],
    queueing: true,
  });
  assert.equal((await holds.find(nqn, ctx))?.sizeBytes, 64 * MiB);
});

test("swap() refuses a device that is smaller, has other blocks, or is in use, before any change", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  await assert.rejects(
    holds.swap(world.disk("259:2", 32 * MiB), () => true, ctx),
    {
      kind: "failed-precondition",
      message: `Cannot put hold "${nqn}" on 259:2: it has 33554432 bytes, the hold has 67108864`,
    },
  );
  await assert.rejects(
    holds.swap(world.disk("259:3", 64 * MiB, 512), () => true, ctx),
    {
      kind: "failed-precondition",
      message: /on 259:3: its blocks have 512 bytes, those of the hold 4096$/,
    },
  );
  const used = world.disk("259:4");
  kernel.tree.attributes("dev/block/259:4/holders/dm-7", {});
  await assert.rejects(
    holds.swap(used, () => true, ctx),
    { kind: "failed-precondition", message: /"dm-7"$/ },
  );
  assert.equal(kernel.verbs.includes("load"), false);
});

test("swap() that the kernel refuses half-way leaves the old table, resumed and alone", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  const mistaken = { ...world.disk("259:2", 32 * MiB), sizeBytes: 64 * MiB };
  await assert.rejects(
    holds.swap(mistaken, () => true, ctx),
    { kind: "unavailable" },
  );
  const { live, inactive, suspended } = kernel.device(name) ?? assert.fail();
  assert.deepEqual([live?.device, inactive, suspended], ["259:1", undefined, false]);
});

test("swap() that does not end in time throws away the table that it loaded", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  const failure = { reason: "did not end within 20 s", timedOut: true };
  kernel.faults.push({ verb: "resume", failure });
  await assert.rejects(
    holds.swap(world.disk("259:2"), () => true, ctx),
    {
      kind: "unavailable",
      message: `Cannot put hold "${nqn}" on 259:2: dmsetup did not end within 20 s`,
    },
  );
  const { live, inactive } = kernel.device(name) ?? assert.fail();
  assert.deepEqual([live?.device, inactive], ["259:1", undefined]);
});

test("swap() rolls back also when its call has ended meanwhile", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.suspend(name);
  const aborted = new AbortController();
  const swapped = holds.swap(world.disk("259:2"), () => true, { ...ctx, signal: aborted.signal });
  // The table is loaded by now, and the next process is not started any more.
  aborted.abort();
  await assert.rejects(swapped, { kind: "deadline-exceeded" });
  const { live, inactive, suspended } = kernel.device(name) ?? assert.fail();
  assert.deepEqual([live?.device, inactive, suspended], ["259:1", undefined, false]);
});

test("a hold that cannot be resumed is said in the log; resume() mends it later", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.suspend(name);
  const log = new RecordingLog();
  const failure = { reason: "did not end within 20 s", timedOut: true };
  kernel.faults.push({ verb: "resume", failure }, { verb: "resume", failure });
  await assert.rejects(
    holds.swap(world.disk("259:2"), () => true, { ...ctx, log }),
    { kind: "unavailable" },
  );
  assert.deepEqual(
    log.records.map(({ level, message, fields }) => [level, message, fields["nqn"]]),
    [["error", "Cannot resume a hold: its I/O waits", nqn]],
  );
  assert.equal((await holds.find(nqn, ctx))?.suspended, true);
  await holds.resume(nqn, ctx);
  assert.equal((await holds.find(nqn, ctx))?.suspended, false);
});

test("failQueue() resumes a suspended hold first, which takes no message", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.suspend(name);
  await holds.failQueue(nqn, ctx);
  assert.equal((await holds.status(nqn, ctx)).queueing, false);
});

test("passErrors() lays the hold bare, and puts it back as it was", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  const hold = await holds.create(world.disk("259:1"), ctx);
  kernel.failPaths(name);
  kernel.verbs.length = 0;
  await holds.passErrors(nqn, ctx);
  assert.deepEqual(kernel.verbs.slice(-4), ["load", "resume", "load", "resume"]);
  assert.deepEqual(await holds.find(nqn, ctx), hold);
  assert.deepEqual(await holds.status(nqn, ctx), {
    device: "259:1",
    paths: ["active", "active"],
    queueing: true,
  });
});

test("passErrors() that the kernel refuses leaves the hold as it was", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  await holds.create(world.disk("259:1"), ctx);
  kernel.removeDisk("259:1");
  await assert.rejects(holds.passErrors(nqn, ctx), {
    kind: "unavailable",
    message: new RegExp(`^Cannot pass on the errors of hold "${nqn}": dmsetup `),
  });
  const { live, inactive, suspended, queueing } = kernel.device(name) ?? assert.fail();
  assert.deepEqual([live?.bare, inactive, suspended, queueing], [false, undefined, false, true]);
});

test("passErrors() that cannot end leaves a hold that does not queue, until queueAgain()", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  const hold = await holds.create(world.disk("259:1"), ctx);
  const failure = { reason: "did not end within 20 s", timedOut: true };
  kernel.faults.push({ verb: "resume", failure, after: 1 });
  await assert.rejects(holds.passErrors(nqn, ctx), { kind: "unavailable" });
  const { device, queueing } = await holds.status(nqn, ctx);
  assert.deepEqual([device, queueing], ["259:1", false]);
  await holds.failQueue(nqn, ctx);
  await holds.reinstate(nqn, ctx);
  await holds.queueAgain(nqn, ctx);
  assert.deepEqual(await holds.find(nqn, ctx), hold);
  assert.equal((await holds.status(nqn, ctx)).queueing, true);
});

test("grow() makes the hold as long as the device, never shorter", async () => {
  using world = setUp();
  const { holds, kernel } = world;
  const device = world.disk("259:1");
  await holds.create(device, ctx);
  await holds.grow(device, ctx);
  assert.equal(kernel.verbs.includes("load"), false);
  const grown = world.disk("259:1", 96 * MiB);
  await holds.grow(grown, ctx);
  assert.equal((await holds.find(nqn, ctx))?.sizeBytes, 96 * MiB);
  await assert.rejects(holds.grow(device, ctx), {
    kind: "out-of-range",
    message: `Cannot grow hold "${nqn}" to 67108864 bytes: it has 100663296 already`,
  });
});
