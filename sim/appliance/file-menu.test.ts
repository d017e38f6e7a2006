import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppliance } from "./testing/test-appliance.ts";

test("/file/add takes names with and without a leading slash and prints them without", async () => {
  const { print, rows } = await testAppliance();
  await print("/file/add name=/pool/a type=directory");
  await print("/file/add name=pool/a/b.txt contents=hello");
  const listed = (await rows("/file")).map(({ name, type, size }) => [name, type, size]);
  assert.deepEqual(listed, [
    ["pool", "disk", undefined],
    ["pool/a", "directory", undefined],
    ["pool/a/b.txt", ".txt file", 5],
  ]);
  assert.equal(await print(":put [/file/get pool/a/b.txt contents]"), "hello");
});

test("/file/add refuses what exists, and places that do not", async () => {
  const { run, print } = await testAppliance();
  await print("/file/add name=pool/a type=directory");
  const error = async (rest: string) => (await run(`/file/add ${rest}`)).error;
  assert.equal(await error("name=pool/a type=directory"), "failure: already have such entry");
  assert.equal(await error("name=pool/x/y"), 'failure: no such directory "pool/x"');
  assert.match((await error("name=flash/x")) ?? "", /no mounted disk/);
  assert.match((await error("name=pool/a/../b")) ?? "", /no mounted disk/);
});

test("/file/print path= lists a directory, with recursive= all below it", async () => {
  const { print } = await testAppliance();
  for (const name of ["a", "a/b", "a/b/c"])
    await print(`/file/add name=pool/${name} type=directory`);
  const names = async (rest: string) =>
    JSON.parse(await print(`:put [:serialize to=json [/file/print as-value ${rest}]]`)).map(
      ({ name }: { name: string }) => name,
    );
  assert.deepEqual(await names("path=pool/a"), ["pool/a/b"]);
  assert.deepEqual(await names("path=/pool/a recursive=yes"), ["pool/a/b", "pool/a/b/c"]);
  assert.deepEqual(await names("path=pool/a recursive=yes relative=yes"), ["b", "b/c"]);
  assert.deepEqual(await names("path=pool/nowhere"), []);
});

test("/file/remove takes empty directories, and full ones only when switched", async () => {
  const { appliance, run, print, rows } = await testAppliance();
  await print("/file/add name=pool/a type=directory");
  await print("/file/add name=pool/a/b type=directory");
  assert.equal(
    (await run("/file/remove pool/a")).error,
    'failure: directory "pool/a" is not empty',
  );
  appliance.switches.set("directory-remove", "recursive");
  await print("/file/remove pool/a");
  assert.equal((await rows("/file")).length, 1);
  assert.equal((await run("/file/remove pool")).error, 'failure: "pool" is a mount point');
  assert.deepEqual(await run('/file/remove [find name="pool/a"]'), {
    text: "",
    error: undefined,
    stage: "ok",
  });
});

test("/file/remove deletes the backing file of a disk, as on a device", async () => {
  const { run, print, rows } = await testAppliance();
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=1G");
  await print('/file/remove [find name="pool/a.img"]');
  assert.equal((await rows("/disk", "slot=a")).length, 1);
  assert.match((await run("/disk/set a file-size=2G")).error ?? "", /does not exist/);
});

test("/file/copy copies files and directories, from 7.23 on", async () => {
  const { print, rows } = await testAppliance();
  await print("/file/add name=pool/a type=directory");
  await print("/file/add name=pool/a/x.txt contents=abc");
  await print("/file/copy pool/a name=pool/b");
  assert.equal((await rows("/file", 'name="pool/b/x.txt"'))[0]?.["contents"], "abc");
  const older = await testAppliance({ version: "7.22.3 (stable)" });
  const { error, stage } = await older.run("/file/copy pool name=pool/b");
  assert.equal(stage, "parse");
  assert.match(error ?? "", /bad command name copy/);
});

test("/disk/remove leaves the backing file, unless switched", async () => {
  const { appliance, print, rows } = await testAppliance();
  const add = "/disk/add type=file slot=a file-path=/pool/a.img file-size=1G";
  await print(add);
  await print("/disk/remove a");
  assert.equal((await rows("/file", 'name="pool/a.img"')).length, 1);
  appliance.switches.set("remove-deletes-file", "yes");
  await print(add);
  await print("/disk/remove [find slot=a]");
  assert.equal((await rows("/file", 'name="pool/a.img"')).length, 0);
});

test("/disk/copy copies onto a disk that is at least as large and not exported", async () => {
  const { run, print } = await testAppliance();
  await print("/disk/add type=file slot=a file-path=/pool/a.img file-size=2M");
  await print("/disk/add type=file slot=b file-path=/pool/b.img file-size=1M");
  assert.match((await run("/disk/copy src=a dst=b")).error ?? "", /smaller/);
  assert.match(await print("/disk/copy src=b dst=a"), /1048576 \/ 1048576 \(100%\)/);
  await print("/disk/set a nvme-tcp-export=yes");
  assert.equal((await run("/disk/copy src=b dst=a")).error, 'failure: disk "a" is in use');
});
