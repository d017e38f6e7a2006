import assert from "node:assert/strict";
import test from "node:test";
import type { BindRequest } from "#domain/ports/mounts.ts";
import type { Context } from "#lib/context.ts";
import { publish } from "#node/publish.ts";
import { stage } from "#node/stage.ts";
import { MemoryMounts } from "#test/fakes/node/memory-mounts.ts";
import { blockUse, targetPathOf } from "#test/fakes/node/node-world.ts";
import { WatchedWorld } from "#test/fakes/watch/watched-world.ts";
import { showAgain } from "./show-again.ts";

class LateMounts extends MemoryMounts {
  before: () => void = () => {};
  override async bind(request: BindRequest, ctx: Context): Promise<void> {
    this.before();
    await super.bind(request, ctx);
  }
}

test("showAgain() takes back a node that turned out to be another volume's", async () => {
  const world = new WatchedWorld({ canHold: false });
  const [volume, other] = [world.attach("pvc-a"), world.attach("pvc-b")];
  await stage(world.stageRequest(volume, blockUse()), world.host, world.ctx);
  await publish(world.publishRequest(volume, "pod", blockUse()), world.host, world.ctx);
  const pod = targetPathOf(volume, "pod");
  // it comes back under another number
  world.kernel.drop(volume.nqn);
  const kept = world.attach("pvc-kept");
  world.kernel.connect(kept.nqn);
  world.kernel.connect(volume.nqn);
  const [record, device] = [world.records.volumes.get("pvc-a"), world.kernel.find(volume.nqn)];
  assert.ok(record && device);
  assert.notEqual(world.topmost(pod)?.node, device.majorMinor);
  const mounts = new LateMounts(world.kernel, world.paths);
  const host = { ...world.watchHost, mounts };
  const returned = { volume: record, device: { ...device, blockBytes: 4_096 }, dead: [] };

  mounts.before = () => {
    world.kernel.drop(volume.nqn);
    world.kernel.connect(other.nqn);
    world.kernel.connect(volume.nqn);
  };
  await assert.rejects(showAgain(returned, host, world.ctx), {
    kind: "unavailable",
    message: /shows another device after the mount$/,
  });
  assert.equal(world.kernel.find(other.nqn)?.path, device.path, "what was bound is the other one");
  assert.deepEqual(world.mountsAt(pod), []);

  await world.pass(3_000);
  assert.equal(world.topmost(pod)?.node, world.kernel.find(volume.nqn)?.majorMinor);
});
