import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const ctx = testContext();
const slot = "pvc-a" as Slot;
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;

test("each operation keeps its budget of round trips", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const { statistics } = rig.simulator;
  const spent = async <T>(operation: Promise<T>): Promise<readonly [number, T]> => {
    statistics.reset();
    const result = await operation;
    return [statistics.commands, result];
  };
  const [forCreate, volume] = await spent(volumes.create(newVolume(slot), ctx));
  const [forFind] = await spent(volumes.find(slot, ctx));
  const [forSurvey] = await spent(volumes.survey(ctx));
  const [forGrow, grown] = await spent(volumes.grow(volume, 2 * GiB, ctx));
  const change = { tag: grown.tag, exported: { enabled: true, nqn, port: 4420 } } as const;
  const [forChange, changed] = await spent(volumes.change(grown, change, ctx));
  const [forDelete] = await spent(volumes.delete(slot, changed, ctx));
  const [forLeftovers] = await spent(volumes.delete(slot, undefined, ctx));
  assert.deepEqual(
    { forCreate, forFind, forSurvey, forGrow, forChange, forDelete, forLeftovers },
    {
      forCreate: 1,
      forFind: 1,
      forSurvey: 1,
      forGrow: 1,
      forChange: 1,
      forDelete: 2,
      forLeftovers: 2,
    },
  );
});

test("survey() is one round trip for all who ask while it waits", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { latency: 50 } });
  const { volumes } = await rig.warmDriver();
  await Promise.all(Array.from({ length: 50 }, () => volumes.survey(ctx)));
  assert.ok(
    rig.simulator.statistics.commands <= 2,
    `${rig.simulator.statistics.commands} commands`,
  );
});

test("create() sends lines of a length that consoles are known to take", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const pvc = `${"n".repeat(63)}/${"c".repeat(90)}`;
  const pv = "pvc-2b2c4a5e-3333-4444-5555-0123456789ab";
  await volumes.create(newVolume("pvc-abcdefghijklmnopqrstuvwxyz", { pv, pvc }), ctx);
  const longest = Math.max(...rig.simulator.statistics.lines.map((line) => line.length));
  assert.ok(longest < 1400, `${longest} bytes`);
});

test("create() makes the volume by exactly these settings", async () => {
  await using rig = await SimulatedAppliance.start();
  await rig.run("/disk/settings/set auto-smb-sharing=yes auto-media-sharing=yes");
  const { volumes } = await rig.warmDriver();
  await volumes.create(newVolume(slot), ctx);
  const [row = {}] = await rig.rows(`/disk/print detail as-value where slot="${slot}"`);
  const shown = [
    "type",
    "file-path",
    "file-size",
    "comment",
    "mount-filesystem",
    "nvme-tcp-export",
    "smb-sharing",
    "nfs-sharing",
    "media-sharing",
    "iscsi-export",
  ];
  assert.deepEqual(Object.fromEntries(shown.map((name) => [name, row[name]])), {
    type: "file",
    "file-path": "/storage-pool/csi/c1/pvc-a/disk.img",
    "file-size": GiB,
    comment: "rds-csi=1 cluster=c1 rev=0 pv=pvc-a",
    "mount-filesystem": false,
    "nvme-tcp-export": false,
    "smb-sharing": false,
    "nfs-sharing": false,
    "media-sharing": false,
    "iscsi-export": false,
  });
});

test("create() makes its folders again when somebody removed them", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  await rig.run('/disk/btrfs/subvolume/remove [find fullname="csi/c1"]');
  await volumes.create(newVolume(slot), ctx);
  const names = await rig.rows("/disk/btrfs/subvolume/print detail as-value");
  assert.deepEqual(names.map((row) => row["fullname"]).sort(), ["csi", "csi/c1", "csi/c1/pvc-a"]);
});

test("create() by two fresh drivers makes the folders once", async () => {
  await using rig = await SimulatedAppliance.start();
  const drivers = [rig.driver(), rig.driver({ clusterId: "c2" })];
  await Promise.all(
    drivers.map(({ volumes }, index) =>
      volumes.create(newVolume(`pvc-${index}`, { cluster: `c${index + 1}` }), ctx),
    ),
  );
  const names = await rig.rows("/disk/btrfs/subvolume/print detail as-value");
  assert.deepEqual(names.map((row) => row["fullname"]).sort(), [
    "csi",
    "csi/c1",
    "csi/c1/pvc-0",
    "csi/c2",
    "csi/c2/pvc-1",
  ]);
});

test("create() refuses a slot that RouterOS cut short", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { "slot-limit": "32-cut" } });
  const { volumes } = await rig.warmDriver();
  const long = `pvc-${"x".repeat(36)}`;
  await assert.rejects(volumes.create(newVolume(long), ctx), {
    kind: "failed-precondition",
    message: `Cannot create volume "${long}" on appliance "rds1": RouterOS made a disk entry of another name`,
  });
});

test("create() passes on why RouterOS refused a slot", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const long = `pvc-${"x".repeat(36)}`;
  await assert.rejects(volumes.create(newVolume(long), ctx), {
    message: `Cannot create volume "${long}" on appliance "rds1": RouterOS says "failure: slot name is longer than 32 characters"`,
  });
});

test("create() writes nowhere while the pool is not mounted", async () => {
  const pools = [
    { mountPoint: "storage-pool", size: TiB, type: "xfs" },
    { mountPoint: "other", size: TiB, type: "xfs" },
  ] as const;
  await using rig = await SimulatedAppliance.start({ pools });
  const { volumes } = await rig.warmDriver();
  rig.simulator.appliance.show("storage-pool", { "mount-point": "" });
  await assert.rejects(volumes.create(newVolume(slot), ctx), {
    kind: "unavailable",
    message:
      'Cannot create volume "pvc-a" on appliance "rds1": no disk is mounted at "storage-pool"',
  });
  assert.deepEqual(await rig.rows('/disk/print as-value where type="file"'), []);
});

test("change() turns an export off that somebody turned on since it was read", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const made = await volumes.create(newVolume(slot), ctx);
  await rig.run("/disk/set pvc-a nvme-tcp-export=yes");
  const off = { tag: { ...made.tag, revision: 1 }, exported: { enabled: false } } as const;
  assert.equal((await volumes.change(made, off, ctx))?.exported.enabled, false);
});

test("change() fails when the export stays on: no node may believe in a fence that is none", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const made = await volumes.create(newVolume(slot), ctx);
  const exported = { enabled: true, nqn, port: 4420 } as const;
  const volume = await volumes.change(made, { tag: { ...made.tag, revision: 1 }, exported }, ctx);
  assert.ok(volume);
  rig.simulator.appliance.show(slot, { "nvme-tcp-export": true });
  const off = { tag: { ...made.tag, revision: 2 }, exported: { enabled: false } } as const;
  await assert.rejects(volumes.change(volume, off, ctx), {
    kind: "unavailable",
    message:
      'Cannot change volume "pvc-a" on appliance "rds1": its export is still on after it was turned off',
  });
});

test("change() by ten controllers at once leaves the one NQN that its winner was told", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { latency: 5 } });
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  const results = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const exported = { enabled: true, nqn: `${nqn}${index}` as Nqn, port: 4420 } as const;
      const tag = { ...volume.tag, revision: 1, pv: `winner-${index}` };
      return await rig.driver().volumes.change(volume, { tag, exported }, ctx);
    }),
  );
  const winners = results.filter((result) => result !== undefined);
  assert.equal(winners.length, 1);
  assert.deepEqual(await volumes.find(slot, ctx), winners[0]);
});

test("delete() fails while the pool is not mounted: no file shows then, and that proves nothing", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  rig.simulator.appliance.show("storage-pool", { "mount-point": "" });
  await assert.rejects(volumes.delete(slot, volume, ctx), {
    kind: "unavailable",
    message: /no disk is mounted at "storage-pool"$/,
  });
  rig.simulator.appliance.show("storage-pool", {});
  await volumes.delete(slot, undefined, ctx);
  assert.deepEqual(await rig.rows('/file/print as-value where name~"pvc-a"'), []);
});

test("delete() leaves no image without an entry, though the pool has got a label since", async () => {
  await using rig = await SimulatedAppliance.start();
  const files = () => rig.rows('/file/print as-value where name~"pvc-a"');
  rig.simulator.appliance.show("storage-pool", { "fs-label": "" });
  const flat = await rig.warmDriver();
  assert.equal((await flat.volumes.create(newVolume(slot), ctx)).layout, "flat");
  await rig.run("/disk/remove pvc-a");
  rig.simulator.appliance.show("storage-pool", {});
  assert.equal((await files()).length, 1);
  await rig.driver().volumes.delete(slot, undefined, ctx);
  assert.deepEqual(await files(), []);
});

test("delete() does not take an image for gone that it cannot reach, for the pool has lost its label", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  await volumes.create(newVolume(slot), ctx);
  await rig.run("/disk/remove pvc-a");
  rig.simulator.appliance.show("storage-pool", { "fs-label": "" });
  await assert.rejects(rig.driver().volumes.delete(slot, undefined, ctx), {
    kind: "failed-precondition",
    message:
      /pvc-a.*" is in a subvolume, and pool "storage-pool" is no longer a Btrfs file system with a label$/,
  });
  rig.simulator.appliance.show("storage-pool", {});
  await rig.driver().volumes.delete(slot, undefined, ctx);
  assert.deepEqual(await rig.rows('/file/print as-value where name~"pvc-a"'), []);
});

test("create() leaves nothing of a volume that RouterOS made otherwise than asked", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  rig.simulator.appliance.show(slot, { "mount-filesystem": true });
  await assert.rejects(volumes.create(newVolume(slot), ctx), {
    kind: "failed-precondition",
    message: /RouterOS made it with mount-filesystem="yes"$/,
  });
  assert.equal(await volumes.find(slot, ctx), undefined);
  assert.deepEqual(await rig.rows('/file/print as-value where name~"pvc-a"'), []);
});

test("delete() removes nothing while the export stays on", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  rig.simulator.appliance.show(slot, { "nvme-tcp-export": true });
  await assert.rejects(volumes.delete(slot, volume, ctx), {
    kind: "unavailable",
    message: 'Cannot delete volume "pvc-a" on appliance "rds1": its export is still on',
  });
  assert.equal((await rig.rows('/file/print as-value where name~"disk.img"')).length, 1);
});

test("fifty volumes made at once wait for each other, one command each", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { latency: 5 } });
  const { volumes } = await rig.warmDriver();
  const slots = Array.from({ length: 50 }, (_, index) => `pvc-${index}`);
  await Promise.all(slots.map((name) => volumes.create(newVolume(name), ctx)));
  assert.equal(rig.simulator.statistics.commands, 50);
  assert.equal((await volumes.survey(ctx)).volumes.length, 50);
});

test("commands run side by side where more channels are configured and served", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { "second-channel": "allow" } });
  const { volumes } = await rig.warmDriver({ channels: 4 });
  rig.simulator.switches.set("latency", 200);
  const start = performance.now();
  const slots = ["pvc-a", "pvc-b", "pvc-c", "pvc-d"] as Slot[];
  await Promise.all(slots.map((name) => volumes.find(name, ctx)));
  assert.ok(performance.now() - start < 600, "they waited for each other");
});

test("operations work at the pace of a device, 0.2 s a command", async () => {
  await using rig = await SimulatedAppliance.start({ switches: { "add-latency": 400 } });
  const { volumes } = await rig.warmDriver();
  rig.simulator.switches.set("latency", 200);
  const start = performance.now();
  const volume = await volumes.create(newVolume(slot), ctx);
  await volumes.delete(slot, volume, ctx);
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 1000 && elapsed < 2000, `${elapsed} ms for three commands and an add`);
});
