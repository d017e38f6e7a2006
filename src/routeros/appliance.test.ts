import assert from "node:assert/strict";
import test from "node:test";
import type { Slot } from "#domain/volume-id.ts";
import { TiB } from "#lib/bytes.ts";
import type { Policy } from "#sim/appliance/policies.ts";
import type { SimulatorOptions } from "#sim/options.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const ctx = testContext();
const slot = "pvc-a" as Slot;

function user(...policies: readonly Policy[]): SimulatorOptions {
  return { users: [{ name: "csi", policies, publicKeys: [] }] };
}

test("RouterOsAppliance does nothing before it is asked", async () => {
  await using rig = await SimulatedAppliance.start();
  const driver = rig.driver({ idPrefix: "rds1" });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(rig.simulator.openConnections, 0);
  assert.deepEqual(
    [driver.name, driver.idPrefix, driver.data, driver.limits],
    [
      "rds1",
      "rds1",
      { addresses: ["10.42.67.1"], port: 4420 },
      { reserve: 0.1, emergency: 0.02, overprovision: 1 },
    ],
  );
});

test("status() says what the appliance is, and changes nothing on it", async () => {
  await using rig = await SimulatedAppliance.start({ version: "7.21.2 (stable)" });
  const before = [
    await rig.rows("/disk/print detail as-value"),
    await rig.rows("/file/print as-value"),
  ];
  const { uptimeSeconds, ...status } = await rig.driver().status(ctx);
  assert.ok(uptimeSeconds !== undefined && uptimeSeconds < 60);
  assert.deepEqual(status, {
    version: "7.21.2 (stable)",
    board: "RDS2216-2XG-4S+4XS-2XQ",
    identity: "RDS2216",
    storagePackage: "rose-storage",
    pool: {
      mountPoint: "storage-pool",
      layout: "subvolume",
      sizeBytes: TiB,
      freeBytes: TiB,
      fs: "btrfs",
      fsLabel: "storage-pool-fs",
    },
    warnings: [],
  });
  const after = [
    await rig.rows("/disk/print detail as-value"),
    await rig.rows("/file/print as-value"),
  ];
  assert.deepEqual(after, before);
});

test("status() accepts the storage package by its new name, and a mount point with a slash", async () => {
  await using rig = await SimulatedAppliance.start({
    switches: { "storage-package-name": "storage" },
  });
  const { storagePackage, pool } = await rig.driver({ pool: "/storage-pool/" }).status(ctx);
  assert.deepEqual([storagePackage, pool.mountPoint], ["storage", "storage-pool"]);
});

test("status() warns that a pool without Btrfs has no snapshots", async () => {
  const pools = [{ mountPoint: "storage-pool", size: TiB, type: "xfs" }] as const;
  await using rig = await SimulatedAppliance.start({ pools });
  const { pool, warnings } = await rig.driver().status(ctx);
  assert.equal(pool.layout, "flat");
  assert.deepEqual(warnings, ['Pool "storage-pool" has file system "xfs": snapshots need "btrfs"']);
});

const act = 'Cannot use appliance "rds1"';

const unfit: readonly (readonly [string, SimulatorOptions, string, string])[] = [
  [
    "RouterOS before 7.21",
    { version: "7.20.8 (long-term)" },
    "failed-precondition",
    `${act}: it runs RouterOS "7.20.8 (long-term)", and NVMe/TCP targets with a name of their own need 7.21 or later`,
  ],
  [
    "no storage package",
    { storagePackage: false },
    "failed-precondition",
    `${act}: the RouterOS package "storage" (formerly "rose-storage") is not installed`,
  ],
  [
    "another pool",
    { pools: [{ mountPoint: "raid10", size: TiB }] },
    "unavailable",
    'Cannot use pool "storage-pool" on appliance "rds1": no disk is mounted there',
  ],
  [
    "a user without read",
    user("ssh", "write", "test"),
    "permission-denied",
    `${act}: RouterOS says "not enough permissions (9)"; the user's group lacks the policy "read"`,
  ],
  [
    "a user without write",
    user("ssh", "read", "test"),
    "permission-denied",
    `${act}: RouterOS says "not enough permissions (9)"; the user's group lacks the policy "write"`,
  ],
  [
    "a user without test",
    user("ssh", "read", "write"),
    "permission-denied",
    `${act}: RouterOS says "not enough permissions (9)"; the user's group lacks the policy "test"`,
  ],
];

for (const [what, options, kind, message] of unfit)
  test(`an appliance with ${what} is refused with the reason`, async () => {
    await using rig = await SimulatedAppliance.start(options);
    const driver = rig.driver();
    await assert.rejects(driver.status(ctx), { kind, message });
    await assert.rejects(driver.volumes.survey(ctx), { kind, message });
    await assert.rejects(driver.volumes.create(newVolume(slot), ctx), { kind, message });
    await assert.rejects(driver.ready(ctx), { kind: "unavailable", message });
  });

test("a user without ssh is refused as a key that is not accepted", async () => {
  await using rig = await SimulatedAppliance.start(user("read", "write", "test"));
  await assert.rejects(rig.driver().status(ctx), {
    kind: "permission-denied",
    message: /does not accept the key of user "csi"$/,
  });
});

test("ready() asks the appliance each time, by one command", async () => {
  await using rig = await SimulatedAppliance.start();
  const driver = await rig.warmDriver();
  await driver.ready(ctx);
  await driver.ready(ctx);
  assert.equal(rig.simulator.statistics.commands, 2);
  await rig.simulator.down();
  await assert.rejects(driver.ready(ctx), { kind: "unavailable" });
});

test("the probe is repeated after each reconnection and no more often", async () => {
  await using rig = await SimulatedAppliance.start();
  const driver = await rig.warmDriver();
  for (let index = 0; index < 3; index += 1) await driver.volumes.find(slot, ctx);
  const probes = () =>
    rig.simulator.statistics.lines.filter((line) => line.includes(":parse")).length;
  assert.equal(probes(), 0);
  rig.simulator.dropConnections();
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let index = 0; index < 3; index += 1) await driver.volumes.find(slot, ctx);
  assert.equal(probes(), 1);
});

test("a slow appliance comes to serve callers who wait for less time than its probe takes", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { latency: 100 } });
  const { volumes } = rig.driver();
  const hasty = () => volumes.survey(testContext({ signal: AbortSignal.timeout(400) }));
  const answers: string[] = [];
  while (answers.length < 20 && !answers.includes("served"))
    answers.push(await hasty().then(() => "served", String));
  assert.equal(answers.at(-1), "served");
  assert.ok(answers.length > 1, "the probe was no longer than the wait");
});

test("an appliance that is away fails each call at once but the one that tries", async () => {
  await using rig = await SimulatedAppliance.start();
  const driver = await rig.warmDriver();
  await rig.simulator.down();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => driver.volumes.survey(ctx)),
  );
  for (const result of results)
    assert.equal(result.status === "rejected" && result.reason.kind, "unavailable");
  await rig.simulator.up();
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.deepEqual((await driver.volumes.survey(ctx)).volumes, []);
});

for (const stream of ["stdout", "stderr"] as const)
  for (const status of ["0", "1", "absent"] as const)
    test(`outcomes are the same with errors on ${stream} and exit status ${status}`, async () => {
      const switches = {
        "error-stream": stream,
        "exit-status": status,
        "output-width": 20,
      } as const;
      await using rig = await SimulatedAppliance.start({ switches });
      const { volumes } = await rig.warmDriver();
      const volume = await volumes.create(newVolume(slot), ctx);
      rig.occupy(TiB - 2 ** 30);
      await assert.rejects(volumes.grow(volume, 2 ** 31, ctx), { kind: "resource-exhausted" });
      await volumes.delete(slot, volume, ctx);
      assert.equal(await volumes.find(slot, ctx), undefined);
    });
