import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppliance } from "./testing/test-appliance.ts";

const GiB = 2 ** 30;

test("/disk/add prints nothing and makes the item and its backing file", async () => {
  const { print, rows } = await testAppliance();
  assert.equal(await print("/disk/add type=file slot=a file-path=pool/a.img file-size=3G"), "");
  const [disk] = await rows("/disk", "slot=a");
  assert.equal(disk?.["file-path"], "/pool/a.img");
  assert.equal(disk?.["file-size"], 3 * GiB);
  assert.equal(disk?.["size"], 3 * GiB);
  assert.equal(disk?.["nvme-tcp-export"], false);
  assert.equal(disk?.["mount-filesystem"], true);
  const [file] = await rows("/file", 'name="pool/a.img"');
  assert.equal(file?.["type"], ".img file");
  assert.equal(file?.["size"], 3 * GiB);
});

test("/disk/add as a value is the id of the new item", async () => {
  const { print } = await testAppliance();
  const id = await print(":put [/disk/add type=file slot=a file-path=/pool/a.img file-size=1M]");
  assert.match(id, /^\*[0-9A-F]+$/);
  assert.equal(await print(`:put [/disk/get ${id} slot]`), "a");
});

test("/disk/add without a slot names the disk after its path, within the slot limit", async () => {
  const { print, rows } = await testAppliance();
  await print("/disk/add type=file file-path=/pool/swap file-size=1M");
  await print(`/disk/add type=file file-path=/pool/${"x".repeat(60)} file-size=1M`);
  const slots = (await rows("/disk", "type=file")).map(({ slot }) => slot);
  assert.deepEqual(slots, ["file-pool-swap", `file-pool-${"x".repeat(22)}`]);
});

test("/disk/add refuses a taken slot and leaves no file behind", async () => {
  const { run, print, rows } = await testAppliance();
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1M");
  const { error } = await run("/disk/add type=file slot=a file-path=/pool/b.img file-size=1M");
  assert.equal(error, "failure: already have such entry");
  assert.deepEqual(await rows("/file", 'name="pool/b.img"'), []);
});

test("/disk/add treats long slots as the switch slot-limit says", async () => {
  const { appliance, run, rows } = await testAppliance();
  const add = (slot: string, file: string) =>
    run(`/disk/add type=file slot=${slot} file-path=/pool/${file} file-size=1M`);
  const long = "s".repeat(40);
  assert.match((await add(long, "a")).error ?? "", /^failure: slot name is longer than 32/);
  appliance.switches.set("slot-limit", "32-cut");
  assert.equal((await add(long, "a")).error, undefined);
  appliance.switches.set("slot-limit", "64");
  assert.equal((await add(long, "b")).error, undefined);
  const slots = (await rows("/disk", "type=file")).map(({ slot }) => slot);
  assert.deepEqual(slots, ["s".repeat(32), long]);
});

test("/disk/add treats an existing file as the switch existing-file says", async () => {
  const { appliance, run, print, rows } = await testAppliance();
  const sizeAfter = async (policy: "adopt" | "keep-size" | "truncate", size: string) => {
    appliance.switches.set("existing-file", policy);
    await print(`/disk/add type=file slot=a file-path=/pool/a.img file-size=${size}`);
    const [disk] = await rows("/disk", "slot=a");
    await print("/disk/remove a");
    return Number(disk?.["size"]) / GiB;
  };
  assert.equal(await sizeAfter("adopt", "2G"), 2);
  assert.equal(await sizeAfter("adopt", "1G"), 1 + 1, "a smaller size does not shrink");
  assert.equal(await sizeAfter("adopt", "auto"), 2);
  assert.equal(await sizeAfter("adopt", "4G"), 4);
  assert.equal(await sizeAfter("keep-size", "9G"), 4);
  assert.equal(await sizeAfter("truncate", "1G"), 1);
  appliance.switches.set("existing-file", "refuse");
  const { error } = await run("/disk/add type=file file-path=/pool/a.img file-size=1G");
  assert.equal(error, 'failure: file "pool/a.img" already exists');
});

test("/disk/add into a missing directory fails, or creates it when switched", async () => {
  const { appliance, run, rows } = await testAppliance();
  const line = "/disk/add type=file slot=a file-path=/pool/x/y/a.img file-size=1M";
  assert.equal((await run(line)).error, 'failure: no such directory "pool/x/y"');
  appliance.switches.set("missing-directory", "create");
  assert.equal((await run(line)).error, undefined);
  const names = (await rows("/file")).map(({ name }) => name);
  assert.deepEqual(names, ["pool", "pool/x", "pool/x/y", "pool/x/y/a.img"]);
});

test("/disk/add needs a mounted disk, a size, and a file of its own", async () => {
  const { run, print } = await testAppliance();
  const error = async (rest: string) => (await run(`/disk/add type=file ${rest}`)).error;
  assert.equal(
    await error("file-path=/nowhere/a.img file-size=1G"),
    'failure: no mounted disk for path "/nowhere/a.img"',
  );
  assert.equal(await error("file-path=/pool file-size=1G"), 'failure: "pool" is a mount point');
  assert.match((await error("file-path=/pool/a.img")) ?? "", /does not exist and no size is given/);
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1M");
  assert.match((await error("slot=b file-path=/pool/a.img")) ?? "", /in use by another disk/);
});

test("/disk/add on a full pool fails and takes nothing", async () => {
  const { appliance, run, print, rows } = await testAppliance();
  appliance.occupy("pool", 2 ** 40 - 10 * GiB);
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=8G");
  const { error } = await run("/disk/add type=file slot=b file-path=/pool/b.img file-size=3G");
  assert.equal(error, "failure: not enough space");
  const [pool] = await rows("/disk", "slot=pool");
  assert.equal(pool?.["free"], 2 * GiB);
  assert.equal(pool?.["use"], 100);
});

test("/disk/add of sparse files may promise more than the pool has", async () => {
  const { print, rows } = await testAppliance({ switches: { allocation: "sparse" } });
  for (const slot of ["a", "b"])
    await print(`/disk/add type=file slot=${slot} file-path=/pool/${slot} file-size=1T`);
  const [pool] = await rows("/disk", "slot=pool");
  assert.equal(pool?.["free"], 2 ** 40);
});

test("/disk/add copy-from copies settings and never data (pitfall 6)", async () => {
  const { run, print, rows } = await testAppliance();
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=2G comment=mine");
  await print("/disk/add type=file copy-from=a slot=b file-path=/pool/b.img");
  const [copy] = await rows("/disk", "slot=b");
  assert.equal(copy?.["size"], 2 * GiB);
  assert.equal(copy?.["comment"], "mine");
  assert.equal(copy?.["model"], "/pool/b.img");
  await print("/disk/set a nvme-tcp-server-nqn=nqn.x:a nvme-tcp-export=yes");
  const { error } = await run("/disk/add type=file copy-from=a slot=c file-path=/pool/c.img");
  assert.equal(error, "failure: already have such entry", "the NQN is copied as well");
  assert.deepEqual(await rows("/file", 'name="pool/c.img"'), []);
});

test("/disk/add refuses what it cannot take before the line runs", async () => {
  const { run, rows } = await testAppliance();
  for (const [argument, message] of [
    ["type=foo", /^input does not match any value of type/],
    ["type=file nvme-tcp-export=maybe", /^invalid value for argument nvme-tcp-export/],
    ["type=file file-size=1.5G", /^invalid value for argument file-size/],
    ["type=file nvme-tcp-server-port=70000", /^invalid value for argument nvme-tcp-server-port/],
    ["type=file bogus=1", /^bad parameter bogus \(line 1 column/],
  ] as const) {
    const line = `/file/add name=pool/x type=directory; /disk/add ${argument}`;
    const { error, stage } = await run(line);
    assert.match(error ?? "", message);
    assert.equal(stage, "parse");
  }
  assert.deepEqual(await rows("/file", 'name="pool/x"'), []);
});

test("/disk/add shares new disks when /disk/settings says so", async () => {
  const { print, rows } = await testAppliance();
  await print("/disk/settings/set auto-smb-sharing=yes");
  await print("/disk/add type=file slot=a file-path=/pool/a file-size=1M");
  await print("/disk/add type=file slot=b file-path=/pool/b file-size=1M smb-sharing=no");
  const shared = (await rows("/disk", "type=file")).map((disk) => disk["smb-sharing"]);
  assert.deepEqual(shared, [true, false]);
});
