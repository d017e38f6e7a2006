import assert from "node:assert/strict";
import test from "node:test";
import { blockUse, NodeWorld, stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { mountsOf } from "./device-users.ts";
import { publish } from "./publish.ts";
import { stage } from "./stage.ts";

/** A node with so many raw block volumes, each published to a pod. */
async function published(count: number) {
  const world = new NodeWorld();
  const volumes = Array.from({ length: count }, (_, index) => world.attach(`pvc-${index}`));
  for (const volume of volumes) {
    await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
    await publish(world.publishRequest(volume, "pod", blockUse()), world.host, world.ctx);
  }
  const find = (index: number) => {
    const volume = volumes[index] ?? assert.fail();
    const device = world.kernel.find(volume.nqn) ?? assert.fail();
    return { device, target: targetPathOf(volume, "pod") };
  };
  return { world, find };
}

test("mountsOf() looks no more often beside twenty raw block volumes than beside two", async () => {
  const looksBeside = async (count: number) => {
    const { world, find } = await published(count);
    const { device, target } = find(1);
    world.faults.arm();
    const mounts = await mountsOf(device, world.host, world.ctx);
    assert.deepEqual(
      mounts.map((mount) => mount.target),
      [target],
    );
    return world.faults.calls;
  };
  assert.equal(await looksBeside(20), await looksBeside(2));
});

test("mountsOf() does not mind a node that cannot be looked at and is another device's", async () => {
  const { world, find } = await published(2);
  const [one, other] = [find(0), find(1)];
  const ofOne = async () => (await mountsOf(one.device, world.host, world.ctx)).length;
  world.kernel.hidden.add(other.target);
  const refusal = {
    kind: "unavailable",
    message: `Cannot look at "${other.target}": Input/output error`,
  };
  await assert.rejects(ofOne(), refusal, "there is no devtmpfs that would tell");
  const root = { target: "/dev", root: "/", majorMinor: "0:5", fsType: "devtmpfs", source: "udev" };
  const rest = { options: ["rw"], superOptions: ["rw"], device: undefined, node: undefined };
  world.kernel.mounts.unshift({ ...root, ...rest });
  assert.equal(await ofOne(), 1);
  await assert.rejects(mountsOf(other.device, world.host, world.ctx), refusal, "it is its own");
  world.kernel.mounts = world.kernel.mounts.map((mount) =>
    mount.target === other.target ? { ...mount, root: `${mount.root}//deleted` } : mount,
  );
  await assert.rejects(ofOne(), refusal, "whose it was does not tell whose it is");
});

test("mountsOf() counts a node that is gone for nobody", async () => {
  const { world, find } = await published(1);
  const { device, target } = find(0);
  const gone = {
    ...(world.topmost(target) ?? assert.fail()),
    target: stagingPathOf({ volumeId: "x" }),
  };
  world.kernel.mounts.push({ ...gone, node: undefined });
  assert.equal((await mountsOf(device, world.host, world.ctx)).length, 1);
});
