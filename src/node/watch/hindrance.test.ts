import assert from "node:assert/strict";
import test from "node:test";
import { DriverError } from "#domain/errors.ts";
import { stats } from "#node/stats.ts";
import { unpublish } from "#node/unpublish.ts";
import { unstage } from "#node/unstage.ts";
import { stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { inUse, stateOf } from "#test/fakes/watch/in-use.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";

/** Each returns how it ends. */
const hindrances: Record<string, readonly [(world: WatchedWorld) => () => void, RegExp]> = {
  "cannot be read": [
    (world) => {
      world.unreadable.add("/dev/nvme1n1");
      return () => world.unreadable.clear();
    },
    /Cannot read "\/dev\/nvme1n1": Input\/output error$/,
  ],
  "is in use on the host": [
    (world) => {
      world.kernel.holders.set("259:1", ["dm-7"]);
      return () => world.kernel.holders.clear();
    },
    /Cannot put hold "nqn.*" on 259:1: 259:1 is in use$/,
  ],
  "has a hold whose state dmsetup does not tell": [
    (world) => {
      const { status } = world.holds;
      world.holds.status = async (nqn, ctx) => {
        if (world.kernel.find(nqn) === undefined) return await status.call(world.holds, nqn, ctx);
        throw new DriverError("unavailable", "dmsetup did not end within 10 s");
      };
      return () => Object.assign(world.holds, { status });
    },
    /dmsetup did not end within 10 s$/,
  ],
};

for (const [what, [begin, reason]] of Object.entries(hindrances))
  test(`tick() tells why a volume is not brought back that ${what}, and so does unstaging, until it is over`, async () => {
    const world = new WatchedWorld();
    const volume = await inUse(world);
    const place = { volumeId: "pvc-a", volumePath: targetPathOf(volume, "pod") };
    const told = async () => (await stats(place, world.host, world.ctx)).condition.message;
    world.kernel.drop(volume.nqn);
    const end = begin(world);
    for (let look = 0; look < 20; look++) {
      await world.pass(1_000);
      assert.match(await told(), reason);
    }
    const unpublishing = { volumeId: "pvc-a", targetPath: targetPathOf(volume, "pod") };
    await unpublish(unpublishing, world.host, world.ctx);
    const unstaging = { volumeId: "pvc-a", stagingPath: stagingPathOf(volume) };
    await assert.rejects(unstage(unstaging, world.host, world.ctx), {
      kind: "unavailable",
      message: reason,
    });
    end();
    await world.pass(12_000);
    assert.deepEqual(world.health.conditionOf("pvc-a"), {
      state: "connected",
      message: "The volume is connected and answers",
    });
  });

test("tick() tells nothing of a try that failed before the connection was lost again", async () => {
  const world = new WatchedWorld();
  const volume = await inUse(world);
  world.kernel.drop(volume.nqn);
  world.unreadable.add("/dev/nvme1n1");
  await world.pass(3_000);
  world.kernel.lose(volume.nqn);
  await world.pass(3_000);
  assert.equal(stateOf(world, volume), "waiting");
  assert.equal(world.health.conditionOf("pvc-a")?.obstacle, undefined);
});
