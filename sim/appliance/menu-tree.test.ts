import assert from "node:assert/strict";
import { test } from "node:test";
import { testAppliance } from "./testing/test-appliance.ts";

const denied = "not enough permissions (9)";

test("each command needs its policy", async () => {
  const add = "/disk/add type=file slot=a file-path=/pool/a.img file-size=1M";
  const reader = await testAppliance({ policies: ["read"] });
  assert.equal((await reader.run("/disk/print")).error, undefined);
  assert.equal((await reader.run(add)).error, denied);
  assert.equal((await reader.run("/system/resource/print")).error, denied);
  const writer = await testAppliance({ policies: ["write"] });
  assert.equal((await writer.run(add)).error, undefined);
  assert.equal((await writer.run("/disk/print")).error, denied);
  const tester = await testAppliance({ policies: ["read", "test"] });
  assert.match(await tester.print("/system/resource/print"), /version: 7\.24\.1 \(stable\)/);
});

test("files need no policy", async () => {
  const { run } = await testAppliance({ policies: [] });
  assert.equal((await run("/file/add name=pool/a type=directory")).error, undefined);
});

test("a version knows the arguments and menus that it brought, and none later", async () => {
  const stageOf = async (version: string, line: string) =>
    (await (await testAppliance({ version })).run(line)).stage;
  const nqn = "/disk/add type=file file-path=/pool/a file-size=1M nvme-tcp-server-nqn=x";
  const subvolume = "/disk/btrfs/subvolume/add fs=pool-fs name=a";
  const file = "/disk/add type=file file-path=/pool/a file-size=1M";
  for (const [line, without, from] of [
    [file, "7.16.2 (stable)", "7.17 (stable)"],
    [subvolume, "7.17.2 (stable)", "7.18 (stable)"],
    ["/file/print path=pool", "7.17.2 (stable)", "7.18 (stable)"],
    [nqn, "7.20.8 (long-term)", "7.21 (stable)"],
  ] as const) {
    assert.equal(await stageOf(without, line), "parse", `${without}: ${line}`);
    assert.equal(await stageOf(from, line), "ok", `${from}: ${line}`);
  }
});

test("an unknown argument is named from 7.23 on", async () => {
  const errorIn = async (version: string) =>
    (await (await testAppliance({ version })).run("/disk/set pool bogus=1")).error ?? "";
  assert.match(await errorIn("7.21.4 (stable)"), /^expected end of command \(line 1 column \d+\)$/);
  assert.match(await errorIn("7.23 (stable)"), /^bad parameter bogus \(line 1 column \d+\)$/);
});

test("without the storage package there is no NVMe/TCP and no Btrfs", async () => {
  const { run, print, rows } = await testAppliance({ storagePackage: false });
  await print("/disk/add type=file slot=a file-path=/pool/a file-size=1M");
  assert.equal((await run("/disk/set a nvme-tcp-export=yes")).stage, "parse");
  assert.equal((await run("/disk/btrfs/subvolume/print")).stage, "parse");
  assert.equal((await rows("/system/package", "available=yes"))[0]?.["name"], "rose-storage");
});

test("a version below 7.16 or none at all is refused", async () => {
  await assert.rejects(testAppliance({ version: "7.15.3 (stable)" }), /7\.16 and later/);
  await assert.rejects(testAppliance({ version: "latest" }), /Cannot read the RouterOS version/);
});

test("/system/identity/set changes the name", async () => {
  const { print } = await testAppliance();
  assert.equal(await print("/system/identity/print"), "  name: RDS2216");
  await print("/system/identity/set name=box");
  assert.equal(await print(":put [/system/identity/get name]"), "box");
});

test("the uptime starts again with a reboot", async () => {
  const { appliance, print } = await testAppliance();
  const before = appliance.bootedAt;
  await new Promise((resolve) => setTimeout(resolve, 2));
  await appliance.powerOff();
  await appliance.powerOn();
  assert.ok(appliance.bootedAt > before);
  assert.match(await print(":put [/system/resource/get uptime]"), /1s|00:00:01/);
});

test("a test can show a failed member and a hot fan", async () => {
  const { appliance, print, rows } = await testAppliance();
  appliance.show("nvme1", { "raid-member-failed": true, "raid-member-state": "0:faulty" });
  appliance.show("pool", { state: "clean, degraded" });
  appliance.show("health", { "cpu-temperature": "91" });
  const failed = await rows("/disk", "raid-member-failed");
  assert.deepEqual(
    failed.map(({ slot }) => slot),
    ["nvme1"],
  );
  assert.equal(await print(":put [/disk/get pool state]"), "clean, degraded");
  assert.equal(await print(":put [/system/health/get cpu-temperature value]"), "91");
});

test("/system/clock tells the zone in which times are printed, and takes another", async () => {
  const { run, print, rows } = await testAppliance();
  await print("/system/clock/set time-zone-name=Asia/Kathmandu");
  assert.equal(await print(":put [/system/clock/get gmt-offset]"), "+05:45");
  await print("/disk/btrfs/subvolume/add fs=pool-fs name=vol");
  const [row] = await rows("/disk/btrfs/subvolume");
  const shown = Date.parse(`${String(row?.["creation-time"]).replace(" ", "T")}+05:45`);
  assert.ok(Math.abs(shown - Date.now()) < 60_000, String(row?.["creation-time"]));
  const { error } = await run("/system/clock/set time-zone-name=Mars/Olympus");
  assert.equal(error, "input does not match any value of time-zone-name");
  const readOnly = await run("/system/clock/set time=00:00:00");
  assert.equal(readOnly.stage, "parse");
});
