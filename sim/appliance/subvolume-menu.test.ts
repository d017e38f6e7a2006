import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppliance } from "./testing/test-appliance.ts";

const GiB = 2 ** 30;
const subvolume = "/disk/btrfs/subvolume";

test("subvolume add makes a directory whose files the disks can use", async () => {
  const { print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print("/disk/add type=file slot=a file-path=/pool/vol/disk.img file-size=1G");
  const [row] = await rows(subvolume);
  assert.equal(row?.["name"], "vol");
  assert.equal(row?.["fullname"], "vol");
  assert.equal(row?.["top-level"], "<FS_ROOT>");
  assert.equal(row?.["parent"], "");
  assert.equal(row?.["snapshot"], false);
  const names = (await rows("/file")).map(({ name }) => name);
  assert.deepEqual(names, ["pool", "pool/vol", "pool/vol/disk.img"]);
});

test("subvolume add nests by path and shows the leaf, the full name and the container", async () => {
  const { run, print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=Snapshots`);
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print(`${subvolume}/add read-only=yes fs=pool-fs parent=vol name=Snapshots/s1`);
  const [row] = await rows(subvolume, "name=s1");
  assert.deepEqual(
    [row?.["fullname"], row?.["top-level"], row?.["parent"], row?.["read-only"], row?.["snapshot"]],
    ["Snapshots/s1", "Snapshots", "vol", true, true],
  );
  const { error } = await run(`${subvolume}/add fs=pool-fs name=Missing/s2`);
  assert.equal(error, 'failure: no such directory "pool/Missing"');
});

test("a snapshot outlives its source, whose name it then forgets", async () => {
  const { print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print(`${subvolume}/add fs=pool-fs name=snap parent=vol read-only=yes`);
  assert.deepEqual((await rows(subvolume, "name=vol"))[0]?.["snapshots"], ["snap"]);
  await print(`${subvolume}/remove [find where name=vol]`);
  const [row] = await rows(subvolume);
  assert.deepEqual([row?.["name"], row?.["parent"], row?.["snapshot"]], ["snap", "", true]);
});

test("a snapshot shares its space until the last owner is gone", async () => {
  const { print, rows } = await testAppliance();
  const used = async () => {
    const [pool] = await rows("/disk", "slot=pool");
    return (2 ** 40 - Number(pool?.["free"])) / GiB;
  };
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print("/disk/add type=file slot=a file-path=/pool/vol/disk.img file-size=4G");
  await print(`${subvolume}/add fs=pool-fs name=snap parent=vol read-only=yes`);
  await print(`${subvolume}/add fs=pool-fs name=clone parent=snap`);
  assert.equal(await used(), 4);
  await print("/disk/add type=file slot=b file-path=/pool/clone/disk.img file-size=6G");
  assert.equal(await used(), 6, "the clone pays for what it has grown by");
  await print("/disk/remove a,b");
  await print(`${subvolume}/remove vol`);
  await print(`${subvolume}/remove clone`);
  assert.equal(await used(), 4, "the snapshot holds what it shares");
  await print(`${subvolume}/remove snap`);
  assert.equal(await used(), 0);
});

test("a snapshot does not contain the subvolumes in its source", async () => {
  const { print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print(`${subvolume}/add fs=pool-fs name=vol/inner`);
  await print("/file/add name=pool/vol/inner/a.txt contents=abc");
  await print("/file/add name=pool/vol/b.txt contents=abc");
  await print(`${subvolume}/add fs=pool-fs name=snap parent=vol`);
  const names = (await rows("/file", 'name~"^pool/snap"')).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["pool/snap", "pool/snap/b.txt", "pool/snap/inner"]);
});

test("nothing is written into a read-only snapshot", async () => {
  const { run, print } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print("/file/add name=pool/vol/sub type=directory");
  await print(`${subvolume}/add fs=pool-fs name=snap parent=vol read-only=yes`);
  for (const line of [
    "/disk/add type=file file-path=/pool/snap/a.img file-size=1M",
    "/disk/add type=file file-path=/pool/snap/sub/a.img file-size=1M",
    "/file/add name=pool/snap/x type=directory",
    "/file/remove pool/snap/sub",
  ])
    assert.equal((await run(line)).error, "failure: read-only file system", line);
  await print(`${subvolume}/set snap read-only=no`);
  assert.equal((await run("/file/add name=pool/snap/x type=directory")).error, undefined);
});

test("leaf names are unique on a file system unless switched", async () => {
  const { appliance, run, print } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=box`);
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  const line = `${subvolume}/add fs=pool-fs name=box/vol`;
  assert.equal((await run(line)).error, "failure: already have such entry");
  appliance.switches.set("subvolume-leaf-names", "free");
  assert.equal((await run(line)).error, undefined);
  const again = await run(`${subvolume}/add fs=pool-fs name=vol`);
  assert.equal(again.error, "BTRFS_IOC_SUBVOL_CREATE failed: File exists");
});

test("subvolume remove refuses one that contains another, and one in use when switched", async () => {
  const { appliance, run, print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print(`${subvolume}/add fs=pool-fs name=vol/inner`);
  const nested = await run(`${subvolume}/remove vol`);
  assert.equal(nested.error, "BTRFS_IOC_SNAP_DESTROY failed: Directory not empty");
  await print(`${subvolume}/remove inner`);
  await print("/disk/add type=file slot=a file-path=/pool/vol/disk.img file-size=1G");
  appliance.switches.set("subvolume-in-use", "refuse");
  assert.match((await run(`${subvolume}/remove vol`)).error ?? "", /^BTRFS_IOC_SNAP_DESTROY/);
  appliance.switches.set("subvolume-in-use", "allow");
  await print(`${subvolume}/remove vol`);
  assert.deepEqual(await rows(subvolume), []);
  assert.equal((await rows("/disk", "slot=a")).length, 1, "the item stays, its file is gone");
});

test("subvolume set renames and moves", async () => {
  const { print, rows } = await testAppliance();
  await print(`${subvolume}/add fs=pool-fs name=box`);
  await print(`${subvolume}/add fs=pool-fs name=vol`);
  await print(`${subvolume}/set vol name=box/data`);
  assert.equal((await rows(subvolume, "name=data"))[0]?.["fullname"], "box/data");
});

test("subvolume add knows file systems by their label and parents by their leaf", async () => {
  const pools = [
    { mountPoint: "pool", size: 2 ** 40 },
    { mountPoint: "plain", size: 2 ** 40, type: "xfs" as const },
  ];
  const { run } = await testAppliance({ pools });
  const error = async (rest: string) => (await run(`${subvolume}/add ${rest}`)).error;
  assert.equal(await error("fs=nolabel name=a"), "input does not match any value of fs");
  assert.equal(await error("fs=plain-fs name=a"), "input does not match any value of fs");
  const orphan = await error("fs=pool-fs name=a parent=nobody");
  assert.equal(orphan, "input does not match any value of parent");
});
