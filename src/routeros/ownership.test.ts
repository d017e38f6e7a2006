import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import type { Slot } from "#domain/volume-id.ts";
import { GiB, TiB } from "#lib/bytes.ts";
import { testContext } from "#test/fakes/context.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";

const ctx = testContext();
const slot = "pvc-a" as Slot;
const nqn = "nqn.2000-02.com.mikrotik:pvc-a.1-abcdefgh" as Nqn;
const ours = "rds-csi=1 cluster=c1 rev=0";

test("find() refuses an entry of ours that lies elsewhere, and survey() reports it once", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  await rig.run(
    `/disk/add type=file slot=pvc-a file-path=storage-pool/x.img file-size=1G comment="${ours}"`,
  );
  await assert.rejects(volumes.find(slot, ctx), {
    kind: "failed-precondition",
    message:
      'Cannot find volume "pvc-a" on appliance "rds1": the disk entry of that name has its image at "storage-pool/x.img"',
  });
  const log = new RecordingLog();
  for (let index = 0; index < 2; index += 1) {
    const survey = await volumes.survey(testContext({ log }));
    assert.deepEqual(survey.volumes, []);
    assert.equal(survey.provisionedBytes, GiB);
  }
  const warnings = log.records.filter(({ level }) => level === "warn");
  assert.deepEqual(
    warnings.map(({ message, fields }) => [message, fields["slot"]]),
    [["Ignoring a misplaced volume", "pvc-a"]],
  );
});

test("change() takes a foreign NQN off the volume only while it is not exported", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const made = await volumes.create(newVolume(slot), ctx);
  await rig.run(
    "/disk/set pvc-a nvme-tcp-server-nqn=nqn.2026-01.com.example:x nvme-tcp-export=yes",
  );
  const exported = { enabled: true, nqn, port: 4420 } as const;
  const tag = { ...made.tag, revision: 1 };
  await assert.rejects(volumes.change(made, { tag, exported }, ctx), {
    kind: "failed-precondition",
    message:
      /it is exported as "nqn.2026-01.com.example:x", and a new NQN is set only while it is not$/,
  });
  await rig.run("/disk/set pvc-a nvme-tcp-export=no");
  assert.deepEqual((await volumes.change(made, { tag, exported }, ctx))?.exported, exported);
});

test("delete() spares an image that another disk uses", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  await rig.run(
    "/disk/add type=file slot=stranger file-path=storage-pool/csi/c1/pvc-a/second.img file-size=1M",
  );
  await assert.rejects(volumes.delete(slot, volume, ctx), {
    kind: "failed-precondition",
    message:
      'Cannot delete the image of volume "pvc-a" on appliance "rds1": disk "stranger" uses it',
  });
  assert.equal((await rig.rows('/file/print as-value where name~"pvc-a/"')).length, 2);
});

test("delete() spares a volume whose name begins alike: pitfall 45", async () => {
  for (const type of ["btrfs", "xfs"] as const) {
    const pools = [{ mountPoint: "storage-pool", size: TiB, type }] as const;
    await using rig = await SimulatedAppliance.start({ pools });
    const { volumes } = await rig.warmDriver();
    const volume = await volumes.create(newVolume(slot), ctx);
    const others = [];
    for (const name of ["pvc-a-2", "pvc-a.img", "pvc-aa"])
      others.push(await volumes.create(newVolume(name), ctx));
    await volumes.delete(slot, volume, ctx);
    for (const other of others) assert.deepEqual(await volumes.find(other.slot, ctx), other);
    for (const row of await rig.rows('/disk/print detail as-value where type="file"')) {
      const image = String(row["file-path"]).slice(1);
      assert.equal((await rig.rows(`/file/print as-value where name="${image}"`)).length, 1);
    }
  }
});

test("two clusters on one pool do not see each other's volumes: pitfall 8", async () => {
  await using rig = await SimulatedAppliance.start();
  const first = await rig.warmDriver();
  const second = await rig.warmDriver({ clusterId: "c2" });
  const volume = await first.volumes.create(newVolume(slot), ctx);
  assert.deepEqual((await second.volumes.survey(ctx)).volumes, []);
  const refused = { kind: "failed-precondition", message: /belongs to cluster "c1"$/ };
  await assert.rejects(second.volumes.find(slot, ctx), refused);
  await assert.rejects(second.volumes.delete(slot, undefined, ctx), refused);
  await assert.rejects(second.volumes.delete(slot, volume, ctx), refused);
  assert.deepEqual(await first.volumes.find(slot, ctx), volume);
});

const hostile = [
  '";_/disk/remove_[find];_:put_"',
  "$[/disk/remove_[find]]",
  "[/system/identity/set_name=owned]",
  "a;b{c}(d)?e~f\\g",
];

for (const word of hostile)
  test(`${JSON.stringify(word)} is stored, compared and removed as data`, async () => {
    await using rig = await SimulatedAppliance.start();
    const clusterId = word.replaceAll("/", "_").replaceAll("=", "_");
    const { volumes } = rig.driver({ clusterId, baseDirectory: `Größe 数据 💾 ${clusterId}` });
    const volume = await volumes.create(
      newVolume(slot, { cluster: clusterId, pv: word, pvc: word }),
      ctx,
    );
    assert.deepEqual([volume.tag.cluster, volume.tag.pv, volume.tag.pvc], [clusterId, word, word]);
    const tag = { ...volume.tag, revision: 1 };
    const changed = await volumes.change(volume, { tag }, ctx);
    assert.deepEqual(changed?.tag, tag);
    assert.deepEqual((await volumes.survey(ctx)).volumes, [changed]);
    await volumes.delete(slot, changed, ctx);
    assert.deepEqual((await volumes.survey(ctx)).volumes, []);
    assert.match(await rig.run("/system/identity/print"), /RDS2216/);
    assert.equal((await rig.rows("/disk/print as-value")).length, 3);
  });

test("a slot that is none is refused before anything is sent", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  for (const text of [
    ...hostile,
    "a\r\n/disk/remove 0",
    "../c2/pvc-b",
    "a/b",
    "..",
    "",
    "x".repeat(10_000),
  ]) {
    const refused = { kind: "invalid-argument" };
    await assert.rejects(volumes.find(text as Slot, ctx), refused);
    await assert.rejects(volumes.create(newVolume(text), ctx), refused);
    await assert.rejects(volumes.delete(text as Slot, undefined, ctx), refused);
  }
  assert.equal(rig.simulator.statistics.commands, 0);
});

test("a field of 10 kB is refused before anything is sent", async () => {
  await using rig = await SimulatedAppliance.start();
  const { volumes } = await rig.warmDriver();
  const volume = await volumes.create(newVolume(slot), ctx);
  rig.simulator.statistics.reset();
  const exported = { enabled: true, nqn: `nqn.${"x".repeat(10_000)}` as Nqn, port: 4420 } as const;
  await assert.rejects(volumes.change(volume, { tag: volume.tag, exported }, ctx), {
    kind: "invalid-argument",
    message: /the limit is 4096$/,
  });
  assert.equal(rig.simulator.statistics.commands, 0);
});
