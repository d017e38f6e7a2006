import assert from "node:assert/strict";
import test from "node:test";
import { GiB } from "#lib/bytes.ts";
import { stage } from "#node/stage.ts";
import { blockUse, mountUse } from "#test/fakes/node/node-world.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { disprove } from "./prove.ts";

async function claim(world: WatchedWorld, use = mountUse()) {
  const attached = world.attach("pvc-a");
  await stage(world.stageRequest(attached, use), world.host, world.ctx);
  const volume = world.records.volumes.get("pvc-a") ?? assert.fail();
  const device = world.kernel.find(attached.nqn) ?? assert.fail();
  return { volume: { ...volume, blockBytes: 512 }, device, minSizeBytes: GiB };
}

type Claim = Awaited<ReturnType<typeof claim>>;

const differences: readonly (readonly [
  string,
  (it: Claim, world: WatchedWorld) => Claim,
  RegExp,
])[] = [
  [
    "another NQN",
    (it, world) => ({ ...it, device: { ...it.device, nqn: world.attach("pvc-b").nqn } }),
    /^its NQN is "nqn\..*pvc-b/,
  ],
  [
    "fewer bytes",
    (it) => ({ ...it, minSizeBytes: GiB + 512 }),
    /^it has 1073741824 bytes, the volume had 1073742336$/,
  ],
  [
    "other blocks",
    (it) => ({ ...it, device: { ...it.device, blockBytes: 4096 } }),
    /^its blocks have 4096 bytes, those of the volume 512$/,
  ],
  [
    "another file system",
    (it, world) => {
      world.kernel.controllers.get(it.device.nqn)?.device?.disk.format("xfs");
      return it;
    },
    /^its file system is xfs, not ext4$/,
  ],
  [
    "another UUID",
    (it, world) => {
      world.kernel.controllers.get(it.device.nqn)?.device?.disk.format("ext4");
      return it;
    },
    /^its file system has the UUID "uuid-2", that of the volume is "uuid-1"$/,
  ],
  [
    "no content",
    (it, world) => {
      const disk = world.kernel.controllers.get(it.device.nqn)?.device?.disk ?? assert.fail();
      disk.content = { kind: "blank" };
      return it;
    },
    /^it holds nothing$/,
  ],
];

for (const [what, change, reason] of differences)
  test(`disprove() refuses a device with ${what}`, async () => {
    const world = new WatchedWorld();
    const changed = change(await claim(world), world);
    assert.match((await disprove(changed, world.watchHost, world.ctx)) ?? "", reason);
  });

test("disprove() finds nothing against the volume itself, larger or not", async () => {
  const world = new WatchedWorld();
  const it = await claim(world);
  assert.equal(await disprove(it, world.watchHost, world.ctx), undefined);
  const larger = { ...it, device: { ...it.device, sizeBytes: 2 * GiB } };
  assert.equal(await disprove(larger, world.watchHost, world.ctx), undefined);
});

test("disprove() does not look into a raw block volume", async () => {
  const world = new WatchedWorld();
  const it = await claim(world, blockUse());
  world.kernel.controllers.get(it.device.nqn)?.device?.disk.format("xfs");
  assert.equal(await disprove(it, world.watchHost, world.ctx), undefined);
});

test("disprove() throws for a device that cannot be read: that proves nothing", async () => {
  const world = new WatchedWorld();
  const it = await claim(world);
  world.unreadable.add(it.device.path);
  await assert.rejects(disprove(it, world.watchHost, world.ctx), { kind: "unavailable" });
});
