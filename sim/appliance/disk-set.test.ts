import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppliance } from "./testing/test-appliance.ts";

const GiB = 2 ** 30;
const add = "/disk/add type=file slot=a file-path=/pool/a.img file-size=1G";

test("/disk/set grows a disk and its file, and refuses to shrink them", async () => {
  const { run, print, rows } = await testAppliance();
  await print(add);
  assert.equal(await print(`/disk/set a file-size=${3 * GiB}`), "");
  const [disk] = await rows("/disk", "slot=a");
  const [file] = await rows("/file", 'name="pool/a.img"');
  assert.deepEqual([disk?.["size"], file?.["size"]], [3 * GiB, 3 * GiB]);
  const { error } = await run("/disk/set a file-size=2G comment=small");
  assert.equal(error, "failure: file-size cannot be reduced");
  const [after] = await rows("/disk", "slot=a");
  assert.equal(after?.["size"], 3 * GiB);
  assert.equal(after?.["comment"], undefined, "the item is changed wholly or not at all");
});

test("/disk/set cannot grow a disk beyond its pool", async () => {
  const { run, print, appliance } = await testAppliance();
  await print(add);
  appliance.occupy("pool", 2 ** 40 - 2 * GiB);
  assert.equal((await run("/disk/set a file-size=4G")).error, "failure: not enough space");
  assert.equal((await run("/disk/set a file-size=2G")).error, undefined);
});

test("/disk/set on a find without match changes nothing and says nothing", async () => {
  const { run } = await testAppliance();
  const found = await run('/disk/set [find slot="nobody"] comment=x');
  assert.deepEqual(found, { text: "", error: undefined, stage: "ok" });
  assert.equal((await run("/disk/set nobody comment=x")).error, "no such item");
});

test("/disk/set exports under the given NQN, or under the slot", async () => {
  const { print, rows } = await testAppliance();
  await print(add);
  await print("/disk/set a nvme-tcp-export=yes");
  const nqn = async () => (await rows("/disk", "slot=a"))[0]?.["nvme-tcp-server-nqn"];
  assert.equal(await nqn(), "a");
  await print("/disk/set a nvme-tcp-export=no");
  assert.equal(await nqn(), undefined, "hidden while it is not exported");
  await print('/disk/set a nvme-tcp-server-nqn="nqn.x:a.1" nvme-tcp-export=yes');
  assert.equal(await nqn(), "nqn.x:a.1");
});

test("/disk/set shows the target of an unexported disk when switched", async () => {
  const { print, rows, appliance } = await testAppliance();
  await print(`${add} nvme-tcp-server-nqn=nqn.x:a.1`);
  assert.equal((await rows("/disk", "slot=a"))[0]?.["nvme-tcp-server-nqn"], undefined);
  appliance.switches.set("unexported-target", "shown");
  assert.equal((await rows("/disk", "slot=a"))[0]?.["nvme-tcp-server-nqn"], "nqn.x:a.1");
});

test("/disk/set changes the NQN of an exported disk only when switched", async () => {
  const { run, print, appliance } = await testAppliance();
  await print(`${add} nvme-tcp-export=yes`);
  const line = "/disk/set a nvme-tcp-server-nqn=nqn.x:a.2";
  assert.equal((await run(line)).error, "failure: cannot change the NQN of an exported disk");
  appliance.switches.set("nqn-while-exported", "allow");
  assert.equal((await run(line)).error, undefined);
  assert.deepEqual(appliance.initiators.connect("nqn.x:a.2", "host").connected, true);
  assert.throws(() => appliance.initiators.connect("a", "host"), /no such subsystem/);
});

test("/disk/set refuses a second export under one NQN", async () => {
  const { run, print } = await testAppliance();
  await print(`${add} nvme-tcp-server-nqn=nqn.x:1 nvme-tcp-export=yes`);
  await print("/disk/add type=file slot=b file-path=/pool/b.img file-size=1M");
  const { error } = await run("/disk/set b nvme-tcp-server-nqn=nqn.x:1 nvme-tcp-export=yes");
  assert.equal(error, "failure: already have such entry");
});

test("/disk/set renames a disk within the slots that are free", async () => {
  const { run, print, rows } = await testAppliance();
  await print(add);
  await print("/disk/set a slot=b");
  assert.equal((await run("/disk/set b slot=pool")).error, "failure: already have such entry");
  assert.equal((await rows("/disk", "slot=b")).length, 1);
  assert.equal((await rows("/disk", "slot=a")).length, 0);
});

test("/disk/set of a pool takes a comment and leaves the rest alone", async () => {
  const { run, print, rows } = await testAppliance();
  await print("/disk/set pool comment=mine");
  assert.equal((await rows("/disk", "slot=pool"))[0]?.["comment"], "mine");
  const { error } = await run("/disk/set pool nvme-tcp-export=yes");
  assert.equal(error, 'failure: cannot set nvme-tcp-export of disk "pool"');
});

test("/disk/disable takes an export away and /disk/enable brings it back", async () => {
  const { print, appliance } = await testAppliance();
  await print(`${add} nvme-tcp-export=yes`);
  const attachment = appliance.initiators.connect("a", "host");
  await print("/disk/disable a");
  assert.equal(attachment.connected, false);
  await print("/disk/enable a");
  assert.equal(appliance.initiators.connect("a", "host").connected, true);
});

test("/disk/unset and /disk/reset bring a default back", async () => {
  const { run, print, rows } = await testAppliance();
  await print(`${add} comment=mine mount-filesystem=no`);
  await print("/disk/unset a comment");
  await print("/disk/reset a mount-filesystem");
  const [disk] = await rows("/disk", "slot=a");
  assert.equal(disk?.["comment"], undefined);
  assert.equal(disk?.["mount-filesystem"], true);
  assert.match((await run("/disk/unset a slot")).error ?? "", /^invalid value/);
});
