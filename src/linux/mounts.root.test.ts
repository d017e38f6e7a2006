import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { DriverError } from "#domain/errors.ts";
import { MiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { LoopDisk } from "#test/rig/loop-disk.ts";
import { rootTest } from "#test/rig/root.ts";
import { createExec, type Exec } from "./exec.ts";
import { LinuxMounts } from "./mounts.ts";

const needs = { tools: ["mkfs.ext4"], filesystems: ["ext4"] };
const mounts = new LinuxMounts(createExec());
const ctx = testContext();

/** A formatted disk and the folders `a` and `b` for mounts. */
function formattedDisk() {
  const disk = new LoopDisk(32 * MiB);
  execFileSync("mkfs.ext4", ["-q", disk.device]);
  const [a, b] = [`${disk.folder}/a`, `${disk.folder}/b`];
  for (const folder of [a, b]) mkdirSync(folder);
  const request = { source: disk.device, target: a, fsType: "ext4", options: ["noatime"] };
  return { disk, a, b, request, [Symbol.dispose]: () => disk[Symbol.dispose]() };
}

/** A folder whose mounts are shared, as all are where systemd runs. */
function sharedFolder(folder: string): Disposable {
  execFileSync("mount", ["--bind", folder, folder]);
  execFileSync("mount", ["--make-shared", folder]);
  return { [Symbol.dispose]: () => execFileSync("umount", ["-R", "-l", folder]) };
}

/** A mount namespace made of this one, as a container has it: what is mounted there under a shared folder shows here too. */
async function container() {
  const args = ["--mount", "--propagation", "unchanged", "sh", "-c", "echo; exec sleep 60"];
  const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const exec = createExec();
  const inside: Exec = ({ file, args, ...request }, context) => {
    const entering = ["--mount", "--target", String(child.pid), "--", file, ...args];
    return exec({ ...request, file: "nsenter", args: entering }, context);
  };
  return {
    mounts: new LinuxMounts(inside, `/proc/${child.pid}/mountinfo`),
    async [Symbol.asyncDispose]() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function at(target: string) {
  return (await mounts.list(ctx)).filter((mount) => mount.target === target);
}

rootTest("mount() mounts with its options, and list() shows it", needs, async () => {
  using rig = formattedDisk();
  await mounts.mount(rig.request, ctx);
  const [mount, ...others] = await at(rig.a);
  assert.deepEqual(others, []);
  assert.equal(mount?.source, rig.disk.device);
  assert.equal(mount.fsType, "ext4");
  assert.ok(mount.options.includes("noatime"));
});

rootTest("mount() fails with the words of mount(8)", needs, async () => {
  using rig = formattedDisk();
  await assert.rejects(mounts.mount({ ...rig.request, fsType: "btrfs" }, ctx), (error) => {
    assert.ok(error instanceof DriverError);
    assert.equal(error.kind, "internal");
    assert.match(
      error.message,
      /^Cannot mount ".*" on ".*": mount failed with exit code 32: .*wrong fs type/,
    );
    return true;
  });
  assert.deepEqual(await at(rig.a), []);
});

rootTest(
  "mount() fails with failed-precondition while somebody has the device to himself",
  needs,
  async () => {
    using rig = formattedDisk();
    const claim = openSync(rig.disk.device, constants.O_RDONLY | constants.O_EXCL);
    try {
      await assert.rejects(mounts.mount(rig.request, ctx), { kind: "failed-precondition" });
    } finally {
      closeSync(claim);
    }
    await mounts.mount(rig.request, ctx);
  },
);

rootTest("bind() shows the same file system, privately and read-only as asked", needs, async () => {
  using rig = formattedDisk();
  await mounts.mount(rig.request, ctx);
  execFileSync("mount", ["--make-shared", rig.a]);
  await mounts.bind({ source: rig.a, target: rig.b, options: ["ro", "nosuid"] }, ctx);
  const [mount] = await at(rig.b);
  assert.ok(mount);
  assert.deepEqual(
    mount.options.filter((word) => ["ro", "nosuid"].includes(word)),
    ["ro", "nosuid"],
  );
  assert.deepEqual("propagation" in mount && mount.propagation, []);
  assert.throws(() => writeFileSync(`${rig.b}/file`, ""), { code: "EROFS" });
  writeFileSync(`${rig.a}/file`, "");
});

rootTest(
  "bind() over a bind reaches who follows that one, read-only from the first, and nobody else",
  needs,
  async () => {
    using rig = formattedDisk();
    const { a, b } = rig;
    const [c, follower] = [`${rig.disk.folder}/c`, `${rig.disk.folder}/follower`];
    for (const folder of [c, follower]) mkdirSync(folder);
    using _shared = sharedFolder(rig.disk.folder);
    await mounts.mount(rig.request, ctx);
    await mounts.bind({ source: a, target: b, options: ["ro", "nosuid"] }, ctx);
    await mounts.bind({ source: a, target: c, options: ["nosuid"] }, ctx);
    execFileSync("mount", ["--bind", b, follower]);
    execFileSync("mount", ["--make-slave", follower]);
    await mounts.bind({ source: a, target: b, options: ["ro", "nosuid"] }, ctx);
    const options = async (path: string) => (await at(path)).map((mount) => mount.options);
    assert.deepEqual([(await at(a)).length, (await at(b)).length, (await at(c)).length], [1, 2, 1]);
    assert.equal((await at(follower)).length, 2);
    for (const words of [...(await options(b)), ...(await options(follower))])
      assert.ok(words.includes("ro"), words.join());
    for (const words of [...(await options(a)), ...(await options(c))])
      assert.ok(!words.includes("ro"), words.join());
  },
);

rootTest("bind() publishes a device node on a file", needs, async () => {
  using rig = formattedDisk();
  const target = `${rig.b}/device`;
  writeFileSync(target, "");
  await mounts.bind({ source: rig.disk.device, target, options: [] }, ctx);
  const [mount] = await at(target);
  assert.deepEqual([mount?.fsType, mount?.root], ["devtmpfs", `/${rig.disk.name}`]);
});

rootTest(
  "bind() publishes a device node read-only also where its mount shows in other namespaces",
  { ...needs, tools: [...needs.tools, "unshare", "nsenter"] },
  async () => {
    using rig = formattedDisk();
    const { device } = rig.disk;
    using _shared = sharedFolder(rig.disk.folder);
    const target = `${rig.disk.folder}/device`;
    writeFileSync(target, "");
    {
      await using plugin = await container();
      await plugin.mounts.bind({ source: device, target, options: ["ro"] }, ctx);
      for (const table of [await plugin.mounts.list(ctx), await mounts.list(ctx)]) {
        const shown = table.filter((mount) => [target, device].includes(mount.target));
        assert.deepEqual(
          shown.map((mount) => [mount.target, mount.fsType, mount.options.includes("ro")]),
          [[target, "devtmpfs", true]],
        );
      }
    }
    await using next = await container();
    const [inherited] = (await next.mounts.list(ctx)).filter((mount) => mount.target === target);
    assert.ok(inherited?.options.includes("ro"), "by a plugin that has started again");
    await next.mounts.unmount(target, ctx);
    assert.deepEqual(await at(target), []);
  },
);

rootTest("bind() leaves nothing behind when it fails", needs, async () => {
  using rig = formattedDisk();
  const request = { source: rig.a, target: `${rig.b}/missing`, options: ["ro"] };
  await assert.rejects(mounts.bind(request, ctx), { kind: "internal" });
  const wrong = { source: rig.a, target: rig.b, options: ["ro", "no-such-option=1"] };
  await mounts.bind(wrong, ctx).catch(() => {});
  const left = await at(rig.b);
  assert.ok(left.every(({ options }) => options.includes("ro")));
});

rootTest("unmount() takes the topmost of several mounts, and forgives none", needs, async () => {
  using rig = formattedDisk();
  await mounts.mount(rig.request, ctx);
  await mounts.bind({ source: rig.b, target: rig.a, options: [] }, ctx);
  assert.equal((await at(rig.a)).length, 2);
  await mounts.unmount(rig.a, ctx);
  assert.deepEqual(
    (await at(rig.a)).map(({ source }) => source),
    [rig.disk.device],
  );
  await mounts.unmount(rig.a, ctx);
  await mounts.unmount(rig.a, ctx);
  assert.deepEqual(await at(rig.a), []);
});

rootTest(
  "unmount() rejects with unavailable while a file is open; detach() lets go",
  needs,
  async () => {
    using rig = formattedDisk();
    await mounts.mount(rig.request, ctx);
    const file = openSync(`${rig.a}/open`, "w");
    try {
      await assert.rejects(mounts.unmount(rig.a, ctx), {
        kind: "unavailable",
        message: /^Cannot unmount ".*": umount failed with exit code 32: .*target is busy/,
      });
      assert.equal((await at(rig.a)).length, 1);
      await mounts.detach(rig.a, ctx);
      assert.deepEqual(await at(rig.a), []);
    } finally {
      closeSync(file);
    }
  },
);

rootTest("unmount() of a target with blanks and a leading dash works", needs, async () => {
  using rig = formattedDisk();
  const target = `${rig.b}/-a b\\c`;
  mkdirSync(target);
  await mounts.mount({ ...rig.request, target }, ctx);
  assert.equal((await at(target)).length, 1);
  await mounts.unmount(target, ctx);
  assert.deepEqual(await at(target), []);
});

rootTest("mount() does nothing for a caller that has gone", needs, async () => {
  using rig = formattedDisk();
  const gone = testContext({ signal: AbortSignal.abort() });
  await assert.rejects(mounts.mount(rig.request, gone), { kind: "deadline-exceeded" });
  assert.deepEqual(await at(rig.a), []);
});
