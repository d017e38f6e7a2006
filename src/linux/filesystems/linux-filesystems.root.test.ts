import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FsType, fsTypes } from "#domain/access-mode.ts";
import { MiB } from "#lib/bytes.ts";
import { capSysResource } from "#linux/abilities.ts";
import { LinuxBlockDevices } from "#linux/block-devices.ts";
import { createExec } from "#linux/exec.ts";
import { Sysfs } from "#linux/sysfs.ts";
import { testContext } from "#test/fakes/context.ts";
import { LoopDisk } from "#test/rig/loop-disk.ts";
import { type RootNeeds, rootTest } from "#test/rig/root.ts";
import { LinuxFilesystems } from "./linux-filesystems.ts";

const exec = createExec();
const sysfs = new Sysfs("/sys");
const devices = new LinuxBlockDevices(exec, sysfs);
const filesystems = new LinuxFilesystems({ exec, devices, sysfs });
const ctx = testContext();

/** The smallest sizes that mkfs.xfs takes are 300 MiB; all images are sparse. */
const [small, large] = [320 * MiB, 640 * MiB];

function needs(fsType: FsType): RootNeeds {
  return { tools: [`mkfs.${fsType}`, "blkid", "cmp"], filesystems: [fsType] };
}

const mending = { ...needs("ext4"), tools: ["mkfs.ext4", "fsck.ext4", "debugfs"] };

/** What tools say on stderr is not for the test's report. */
const quiet = { encoding: "utf8", stdio: "pipe" } as const;

async function formatted(fsType: FsType, options: readonly string[] = []) {
  const disk = new LoopDisk(small);
  await filesystems.make(disk.device, { fsType, options }, ctx);
  const mountPoint = `${disk.folder}/mounted`;
  mkdirSync(mountPoint);
  const mount = () => execFileSync("mount", ["-t", fsType, disk.device, mountPoint], quiet);
  const unmount = () => execFileSync("umount", [mountPoint]);
  return { disk, mountPoint, mount, unmount, [Symbol.dispose]: () => disk[Symbol.dispose]() };
}

function writeAt(device: string, offset: number, data: string | Uint8Array): void {
  const file = openSync(device, "r+");
  writeSync(file, Buffer.from(data), 0, null, offset);
  closeSync(file);
}

for (const fsType of fsTypes) {
  rootTest(
    `make() turns a blank device into ${fsType}, as inspect() tells`,
    needs(fsType),
    async () => {
      using disk = new LoopDisk(small);
      assert.deepEqual(await filesystems.inspect(disk.device, ctx), { kind: "blank" });
      await filesystems.make(disk.device, { fsType, options: [] }, ctx);
      const content = await filesystems.inspect(disk.device, ctx);
      assert.equal(content.kind, "filesystem");
      assert.equal(content.fsType, fsType);
      assert.match(content.uuid ?? "", /^[0-9a-f-]{36}$/);
    },
  );

  rootTest(
    `make() repeats itself over a ${fsType}, but not under a mount`,
    needs(fsType),
    async () => {
      using rig = await formatted(fsType);
      await filesystems.make(rig.disk.device, { fsType, options: [] }, ctx);
      rig.mount();
      writeFileSync(`${rig.mountPoint}/file`, "data");
      const again = filesystems.make(rig.disk.device, { fsType, options: [] }, ctx);
      await assert.rejects(again, { kind: "internal", message: /mounted|busy/ });
      rig.unmount();
      rig.mount();
      assert.equal(readFileSync(`${rig.mountPoint}/file`, "utf8"), "data");
    },
  );

  rootTest(`usage() of ${fsType} moves with what is written`, needs(fsType), async () => {
    using rig = await formatted(fsType);
    rig.mount();
    const before = await filesystems.usage(rig.mountPoint, ctx);
    assert.ok(before.totalBytes > small / 2 && before.totalBytes <= small);
    assert.ok(before.availableBytes > 0 && before.availableBytes <= before.totalBytes);
    writeFileSync(`${rig.mountPoint}/file`, Buffer.alloc(16 * MiB, 1), { flush: true });
    execFileSync("sync", ["-f", rig.mountPoint]);
    const after = await filesystems.usage(rig.mountPoint, ctx);
    assert.ok(after.usedBytes - before.usedBytes >= 16 * MiB);
    assert.equal(after.totalInodes > 0, fsType !== "btrfs");
  });

  const growNeeds = fsType.startsWith("ext")
    ? { ...needs(fsType), capabilities: [capSysResource] }
    : needs(fsType);
  rootTest(
    `grow() makes a mounted ${fsType} as large as its device, twice`,
    growNeeds,
    async () => {
      using rig = await formatted(fsType);
      rig.mount();
      writeFileSync(`${rig.mountPoint}/file`, "data");
      rig.disk.grow(large);
      const mounted = { fsType, device: rig.disk.device, mountPoint: rig.mountPoint };
      const size = await filesystems.grow(mounted, ctx);
      assert.ok(size > large / 2 && size > small && size <= large);
      assert.equal(await filesystems.grow(mounted, ctx), size);
      assert.equal(readFileSync(`${rig.mountPoint}/file`, "utf8"), "data");
    },
  );
}

rootTest("grow() tells of a tool that fails", needs("ext4"), async () => {
  using rig = await formatted("ext4");
  rig.mount();
  const wrong = { fsType: "xfs", device: rig.disk.device, mountPoint: rig.mountPoint };
  await assert.rejects(filesystems.grow(wrong, ctx), {
    kind: /^(internal|failed-precondition)$/,
    message: /^Cannot grow the file system at ".*": xfs_growfs /,
  });
});

rootTest("make() hands on the options of a StorageClass", needs("ext4"), async () => {
  using rig = await formatted("ext4", ["-L", "database", "-E", "stride=4", "-b", "4096"]);
  const report = execFileSync("dumpe2fs", ["-h", rig.disk.device], quiet);
  assert.match(report, /volume name: +database/);
  assert.match(report, /RAID stride: +4/);
  assert.match(report, /Reserved block count: +0/);
});

rootTest("make() says why a device is too small", needs("xfs"), async () => {
  using disk = new LoopDisk(16 * MiB);
  await assert.rejects(filesystems.make(disk.device, { fsType: "xfs", options: [] }, ctx), {
    kind: "internal",
    message: /^Cannot make a file system on ".*": mkfs.xfs failed with exit code 1: /,
  });
});

rootTest("inspect() finds data that no tool knows, at both ends", needs("ext4"), async () => {
  const unknown = { kind: "other", description: "unknown data" };
  for (const offset of [0, MiB - 1, small - MiB, small - 1]) {
    using disk = new LoopDisk(small);
    writeAt(disk.device, offset, "x");
    assert.deepEqual(await filesystems.inspect(disk.device, ctx), unknown, `at ${offset}`);
  }
});

rootTest("inspect() tells a partition table from a file system", needs("ext4"), async () => {
  using disk = new LoopDisk(small);
  // One Linux partition from sector 2048 on, and the mark of a boot sector.
  writeAt(disk.device, 450, Uint8Array.from([0x83, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0]));
  writeAt(disk.device, 510, Uint8Array.from([0x55, 0xaa]));
  assert.deepEqual(await filesystems.inspect(disk.device, ctx), {
    kind: "other",
    description: "partition table (dos)",
  });
});

rootTest("inspect() of a device that is not there is no blank device", needs("ext4"), async () => {
  const run = filesystems.inspect("/dev/rds-csi-nothing", ctx);
  await assert.rejects(run, { kind: "unavailable" });
});

rootTest("check() mends an ext4 that cannot be mounted", mending, async () => {
  using rig = await formatted("ext4", ["-b", "4096"]);
  rig.mount();
  writeFileSync(`${rig.mountPoint}/file`, "data");
  rig.unmount();
  const block = execFileSync("debugfs", ["-R", "bmap <8> 0", rig.disk.device], quiet);
  writeAt(rig.disk.device, Number(block) * 4096, "no journal is here");
  assert.throws(rig.mount);
  await filesystems.check(rig.disk.device, "ext4", ctx);
  rig.mount();
  assert.equal(readFileSync(`${rig.mountPoint}/file`, "utf8"), "data");
});

rootTest(
  "countErrors() counts what an ext4 has met until check(), over its mounts",
  mending,
  async () => {
    using rig = await formatted("ext4");
    const majorMinor = (await devices.majorMinorOf(rig.disk.device, ctx)) ?? "";
    const count = () => filesystems.countErrors(majorMinor, ctx);
    rig.mount();
    assert.equal(await count(), 0);
    writeFileSync(`/sys/fs/ext4/${basename(rig.disk.device)}/trigger_fs_error`, "for a test");
    // A worker of the kernel counts it, a moment later.
    for (let wait = 0; wait < 100 && (await count()) === 0; wait++) await delay(50);
    assert.equal(await count(), 1);
    rig.unmount();
    assert.equal(await count(), 0);
    rig.mount();
    assert.equal(await count(), 1);
    rig.unmount();
    await filesystems.check(rig.disk.device, "ext4", ctx);
    rig.mount();
    assert.equal(await count(), 0);
  },
);

rootTest(
  "check() leaves to a person what e2fsck cannot mend by itself",
  needs("ext4"),
  async () => {
    using disk = new LoopDisk(small);
    await assert.rejects(filesystems.check(disk.device, "ext4", ctx), {
      kind: "failed-precondition",
      message: /^Cannot repair the file system on ".*": fsck.ext4 failed with exit code 8/,
    });
  },
);

rootTest("check() of a sound xfs changes nothing", needs("xfs"), async () => {
  using rig = await formatted("xfs");
  await filesystems.check(rig.disk.device, "xfs", ctx);
  rig.mount();
});

rootTest("check() never throws away the journal of an xfs", needs("xfs"), async () => {
  using rig = await formatted("xfs");
  rig.mount();
  writeFileSync(`${rig.mountPoint}/file`, "data");
  execFileSync("sync", ["-f", rig.mountPoint]);
  using copy = new LoopDisk(small);
  execFileSync("fsfreeze", ["--freeze", rig.mountPoint]);
  execFileSync("cp", ["--sparse=always", rig.disk.image, copy.image]);
  execFileSync("fsfreeze", ["--unfreeze", rig.mountPoint]);
  await assert.rejects(filesystems.check(copy.device, "xfs", ctx), {
    kind: "failed-precondition",
    message:
      /^Cannot repair the xfs on ".*": its journal holds changes that no mount has replayed yet, and xfs_repair does nothing before one has; the kernel's log says why the mount failed$/,
  });
});

rootTest("check() repairs no btrfs", needs("btrfs"), async () => {
  await assert.rejects(filesystems.check("/dev/x", "btrfs", ctx), {
    kind: "failed-precondition",
    message: /^Cannot repair the btrfs on "\/dev\/x": there is no safe automatic repair/,
  });
});
