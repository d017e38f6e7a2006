import assert from "node:assert/strict";
import test from "node:test";
import type { Nqn } from "#domain/nqn.ts";
import { GiB } from "#lib/bytes.ts";
import { stage } from "#node/stage.ts";
import { unpublish } from "#node/unpublish.ts";
import { unstage } from "#node/unstage.ts";
import { FakeDisk } from "#test/fakes/node/fake-disk.ts";
import { stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { type InheritingHost, inherit } from "./inherit.ts";

const volumeId = "pvc-12345678-1234-4123-8123-123456789abc";
const nqn = `nqn.2000-02.com.mikrotik:${volumeId}` as Nqn;
const connect = {
  ctrlLossTmoSeconds: 600,
  reconnectDelaySeconds: 10,
  keepAliveTmoSeconds: undefined,
  nrIoQueues: undefined,
};
const volume = { volumeId, disk: new FakeDisk(GiB), nqn, epoch: 0 };
const stagingPath = stagingPathOf(volume);
const made = "Made the record of a volume that an earlier driver has staged";
const left = "Left a volume alone that kubelet knows and no record names";

/** A node on which the driver before this one has staged a volume, and published it to a pod. */
async function setUp() {
  const world = new WatchedWorld();
  const used = { ...volume, disk: new FakeDisk(GiB) };
  used.disk.format("ext4");
  world.kernel.exports.set(nqn, used.disk);
  world.identities.set(nqn, "uuid.one");
  world.kernel.connect(nqn);
  const { path: source } = world.kernel.find(nqn) ?? assert.fail();
  await world.paths.ensureDirectory(stagingPath, world.ctx);
  await world.mounts.mount({ source, target: stagingPath, fsType: "ext4", options: [] }, world.ctx);
  const target = targetPathOf(volume, "pod");
  await world.paths.ensureDirectory(target, world.ctx);
  await world.mounts.bind(
    { source: stagingPath, target, options: ["nosuid", "noatime"] },
    world.ctx,
  );
  const host: InheritingHost = {
    ...world.watchHost,
    kubelet: { list: async () => [{ volumeId, stagingPath }] },
    traces: {
      originOf: (asked) =>
        world.kernel.controllers.has(asked)
          ? { target: { nqn: asked, addresses: ["192.0.2.10"], port: 4420 }, connect }
          : undefined,
      ownerOf: ({ target: at }) => world.topmost(at)?.device?.nqn,
    },
  };
  return { world, host, used };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

async function assertLeftAlone({ world, host }: SetUp, reason: RegExp): Promise<void> {
  await inherit(host, world.ctx);
  assert.deepEqual(world.told, [left]);
  assert.match(String(world.log.records.at(-1)?.fields["reason"]), reason);
  assert.equal(world.records.volumes.size, 0);
}

test("inherit() makes the record of a volume that kubelet, mount and connection agree on, once", async () => {
  const { world, host } = await setUp();
  await inherit(host, world.ctx);
  await inherit(host, world.ctx);
  assert.deepEqual(world.told, [made]);
  assert.deepEqual(world.records.volumes.get(volumeId), {
    volumeId,
    stagingPath,
    target: { nqn, addresses: ["192.0.2.10"], port: 4420 },
    connect,
    use: {
      accessMode: "single-node-writer",
      access: { type: "mount", fsType: "ext4", mountFlags: [] },
    },
    mkfsOptions: [],
    reconnect: { mode: "remount", ioHoldSeconds: undefined, onApplianceRestart: "continue" },
    phase: "staged",
    blockBytes: 512,
    identity: "uuid.one",
    fsUuid: "uuid-1",
    published: [{ target: targetPathOf(volume, "pod"), options: ["nosuid"] }],
  });
});

test("an inherited volume is watched, mounted again after an outage, and leaves nothing when it is unstaged", async () => {
  const { world, host, used } = await setUp();
  await inherit(host, world.ctx);
  await world.pass(1_500);
  assert.equal(stateOf(world, used), "connected");
  world.kernel.drop(nqn);
  await world.pass(5_000);
  assert.equal(stateOf(world, used), "stale");
  const { majorMinor } = world.kernel.find(nqn) ?? assert.fail();
  assert.equal(world.topmost(stagingPath)?.majorMinor, majorMinor);
  await unpublish({ volumeId, targetPath: targetPathOf(used, "pod") }, world.host, world.ctx);
  await unstage({ volumeId, stagingPath }, world.host, world.ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.kernel.controllers.size, 0);
  assert.equal(world.records.volumes.size, 0);
  assert.deepEqual(world.kernel.damage, []);
});

test("inherit() in an outage makes the record of what the mount and the waiting controller tell", async () => {
  const { world, host, used } = await setUp();
  world.kernel.lose(nqn);
  await inherit(host, world.ctx);
  const record = world.records.volumes.get(volumeId);
  assert.equal(record?.target.nqn, nqn);
  assert.equal(record?.fsUuid, undefined);
  world.kernel.exports.set(nqn, used.disk);
  world.kernel.restore(nqn, { renumbered: true });
  await world.pass(3_000);
  assert.equal(stateOf(world, used), "stale");
});

test("inherit() leaves a volume alone whose staging path has another disk mounted", async () => {
  const it = await setUp();
  it.host.traces.ownerOf = () => `${nqn}.1-abcdefgh`;
  await assertLeftAlone(it, /is mounted at its staging path, which is "nqn\..*\.1-abcdefgh", not /);
});

test("inherit() leaves a volume alone whose staging path has no NVMe disk mounted", async () => {
  const it = await setUp();
  it.host.traces.ownerOf = () => undefined;
  await assertLeftAlone(it, /which is no disk over NVMe, not /);
});

test("inherit() leaves a volume alone that is not mounted", async () => {
  const it = await setUp();
  it.world.kernel.mounts = [];
  await assertLeftAlone(it, /nothing is mounted at its staging path$/);
});

test("inherit() leaves a volume alone that the kernel has given up", async () => {
  const it = await setUp();
  it.world.kernel.controllers.delete(nqn);
  await assertLeftAlone(it, /the kernel has no connection to "nqn\..*" left$/);
});

test("inherit() leaves a file system alone that this driver does not know", async () => {
  const it = await setUp();
  it.world.kernel.mounts = it.world.kernel.mounts.map((mount) => ({ ...mount, fsType: "vfat" }));
  await assertLeftAlone(it, /its file system is "vfat"$/);
});

test("inherit() leaves a handle alone that makes no NQN", async () => {
  const it = await setUp();
  const odd = { volumeId: "pvc a;b", stagingPath };
  await assertLeftAlone(
    { ...it, host: { ...it.host, kubelet: { list: async () => [odd] } } },
    /is no NQN$/,
  );
});

test("inherit() gives no NQN to two volumes", async () => {
  const { world, host } = await setUp();
  await inherit(host, world.ctx);
  const record = world.records.volumes.get(volumeId) ?? assert.fail();
  world.records.volumes.clear();
  world.records.volumes.set("pvc-other", { ...record, volumeId: "pvc-other" });
  await inherit(host, world.ctx);
  assert.deepEqual([...world.records.volumes.keys()], ["pvc-other"]);
});

test("inherit() leaves the volumes of this driver as they are, also one whose record is damaged", async () => {
  const world = new WatchedWorld();
  const own = world.attach("pvc-a");
  await stage(world.stageRequest(own), world.host, world.ctx);
  const { host } = await setUp();
  const mine: InheritingHost = {
    ...host,
    ...world.watchHost,
    kubelet: { list: async () => [{ volumeId: "pvc-a", stagingPath: stagingPathOf(own) }] },
  };
  const record = world.records.volumes.get("pvc-a");
  await inherit(mine, world.ctx);
  world.records.damaged.add("pvc-a");
  await inherit(mine, world.ctx);
  assert.equal(world.records.volumes.get("pvc-a"), record);
});

test("inherit() survives kubelet's notes that cannot be read", async () => {
  const { world, host } = await setUp();
  const list = async () => {
    throw new Error("EACCES");
  };
  await inherit({ ...host, kubelet: { list } }, world.ctx);
  assert.deepEqual(world.told, ["Cannot look for volumes that an earlier driver has staged"]);
});
