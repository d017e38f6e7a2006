import assert from "node:assert/strict";
import { lstat, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { directoryBackEnd } from "./directory-back-end.ts";
import { StateFile } from "./state-file.ts";
import { btrfsMount } from "./testing/btrfs-mount.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";
import { testAppliance } from "./testing/test-appliance.ts";

const MiB = 2 ** 20;

async function onDirectories(state: string, data: string) {
  return testAppliance({
    backEnd: await directoryBackEnd({ state, data }),
    stateFile: new StateFile(state),
  });
}

test("a file disk is a sparse file of its size that grows and stays when the item is removed", async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, "data");
  const { print } = await onDirectories(directory.path, data);
  const image = join(data, "pool/csi/a.img");
  await print("/file/add name=pool/csi type=directory");
  await print("/disk/add type=file slot=a file-path=/pool/csi/a.img file-size=4G");
  const { size, blocks } = await stat(image);
  assert.deepEqual([size, blocks], [4096 * MiB, 0]);
  await print("/disk/set a file-size=5G");
  assert.equal((await stat(image)).size, 5120 * MiB);
  await print("/disk/remove a");
  assert.equal((await stat(image)).size, 5120 * MiB);
  await print('/file/remove [find name="pool/csi/a.img"]');
  assert.deepEqual(await readdir(join(data, "pool/csi")), []);
});

test("exports holds a link for a disk exactly while it is exported", async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, "data");
  const exports = join(directory.path, "exports");
  const { print, run } = await onDirectories(directory.path, data);
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1M nvme-tcp-export=yes");
  assert.equal(await readlink(join(exports, "a")), join(data, "pool/a.img"));
  await print("/disk/set a nvme-tcp-export=no");
  assert.deepEqual(await readdir(exports), []);
  await print('/disk/set a nvme-tcp-server-nqn="nqn.x:a/1%" nvme-tcp-export=yes');
  assert.deepEqual(await readdir(exports), ["nqn.x:a%2F1%25"]);
  assert.equal((await run("/disk/set a nvme-tcp-server-nqn=nqn.x:b")).stage, "run-time");
  assert.deepEqual(await readdir(exports), ["nqn.x:a%2F1%25"]);
  await print("/disk/remove a");
  assert.deepEqual(await readdir(exports), []);
});

test("a restart brings state and exports back, and takes stale links away", async () => {
  await using directory = await temporaryDirectory();
  const [state, data] = [directory.path, join(directory.path, "data")];
  const before = await onDirectories(state, data);
  await before.print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1M comment=mine");
  await before.print("/disk/set a nvme-tcp-server-nqn=nqn.x:a nvme-tcp-export=yes");
  await before.print("/disk/btrfs/subvolume/add fs=pool-fs name=vol");
  await before.print("/file/add name=pool/vol/note.txt contents=hello");
  await before.appliance.save();
  const rowsBefore = [await before.rows("/disk"), await before.rows("/file")];
  await writeFile(join(state, "exports", "nqn.x:gone"), "");

  const after = await onDirectories(state, data);
  assert.deepEqual([await after.rows("/disk"), await after.rows("/file")], rowsBefore);
  assert.deepEqual(await readdir(join(state, "exports")), ["nqn.x:a"]);
  await after.print("/disk/add type=file slot=b file-path=/pool/b.img file-size=1M");
  const ids = (await after.rows("/disk")).map((row) => row[".id"]);
  assert.equal(new Set(ids).size, ids.length, "no number is used twice");
});

test("on Btrfs, subvolumes and snapshots are real ones", async (context) => {
  await using directory = await temporaryDirectory();
  await using mount = await btrfsMount(directory.path);
  if (mount === undefined) return context.skip("needs root, loop devices and btrfs-progs");
  const { print, run } = await onDirectories(directory.path, mount.path);
  const image = (volume: string) => join(mount.path, "pool", volume, "disk.img");
  await print("/disk/btrfs/subvolume/add fs=pool-fs name=vol");
  await print("/disk/add type=file slot=a file-path=/pool/vol/disk.img file-size=1M");
  await writeFile(image("vol"), "before", { flag: "r+" });
  await print("/disk/btrfs/subvolume/add fs=pool-fs name=snap parent=vol read-only=yes");
  await writeFile(image("vol"), "after!", { flag: "r+" });
  assert.equal((await readFile(image("snap"), "latin1")).slice(0, 6), "before");
  await assert.rejects(writeFile(image("snap"), "x", { flag: "r+" }), { code: "EROFS" });
  await print("/disk/btrfs/subvolume/add fs=pool-fs name=clone parent=snap");
  await print("/disk/add type=file slot=b file-path=/pool/clone/disk.img file-size=2M");
  assert.equal((await stat(image("clone"))).size, 2 * MiB);
  assert.equal((await lstat(join(mount.path, "pool/clone"))).ino, 256, "a subvolume");
  await print("/disk/remove a,b");
  await print("/disk/btrfs/subvolume/remove vol,snap,clone");
  assert.deepEqual(await readdir(join(mount.path, "pool")), []);
  assert.equal((await run("/disk/btrfs/subvolume/print")).error, undefined);
});

test("elsewhere a snapshot is refused in the words of Btrfs, and nothing is changed", async () => {
  await using directory = await temporaryDirectory();
  const { print, run, rows } = await onDirectories(directory.path, join(directory.path, "data"));
  await print("/disk/btrfs/subvolume/add fs=pool-fs name=vol");
  const { error } = await run("/disk/btrfs/subvolume/add fs=pool-fs name=snap parent=vol");
  assert.match(error ?? "", /^BTRFS_IOC_SNAP_CREATE_V2 failed: Inappropriate ioctl for device/);
  assert.equal((await rows("/disk/btrfs/subvolume")).length, 1);
});

test("what the host refuses is a failure of the command", async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, "data");
  const { print, run, rows } = await onDirectories(directory.path, data);
  await print("/file/add name=pool/dir type=directory");
  await writeFile(join(data, "pool/dir/blocker"), "");
  const { error } = await run("/file/add name=pool/dir/blocker/x type=directory");
  assert.equal(error, 'failure: no such directory "pool/dir/blocker"');
  const sub = await run("/disk/add type=file file-path=/pool/dir/blocker file-size=1M");
  assert.equal(sub.error, undefined, "what a crash left behind is replaced");
  await writeFile(join(data, "pool/plain"), "");
  const made = await run("/file/add name=pool/plain type=directory");
  assert.equal(made.error, "failure: cannot change files (EEXIST)");
  assert.deepEqual(await rows("/file", 'name="pool/plain"'), []);
});

test("/disk/copy and /file/copy copy the bytes", async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, "data");
  const { print } = await onDirectories(directory.path, data);
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1M");
  await print("/disk/add type=file slot=b file-path=/pool/b.img file-size=2M");
  await writeFile(join(data, "pool/a.img"), "payload", { flag: "r+" });
  await print("/disk/copy src=a dst=b");
  await print("/file/copy pool/a.img name=pool/c.img");
  for (const [name, size] of [
    ["b.img", 2 * MiB],
    ["c.img", MiB],
  ] as const) {
    const content = await readFile(join(data, "pool", name), "latin1");
    assert.equal(content.length, size);
    assert.equal(content.slice(0, 7), "payload");
  }
});

test("sparse accounting counts what is written", async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, "data");
  const { appliance, print, rows } = await onDirectories(directory.path, data);
  appliance.switches.set("allocation", "sparse");
  const free = async () => Number((await rows("/disk", "slot=pool"))[0]?.["free"]);
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1G");
  const before = await free();
  await writeFile(join(data, "pool/a.img"), Buffer.alloc(2 * MiB, 1), { flag: "r+" });
  assert.ok(before - (await free()) >= 2 * MiB);
});
