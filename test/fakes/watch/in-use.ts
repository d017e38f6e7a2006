import assert from "node:assert/strict";
import type { ReconnectPolicy } from "#domain/reconnect.ts";
import { publish } from "#node/publish.ts";
import { stage } from "#node/stage.ts";
import { type AttachedVolume, targetPathOf } from "#test/fakes/node/node-world.ts";
import type { WatchedWorld } from "./watched-world.ts";

/** A volume that a pod uses, seen well. */
export async function inUse(
  world: WatchedWorld,
  reconnect: Partial<ReconnectPolicy> = {},
  volumeId = "pvc-a",
): Promise<AttachedVolume> {
  const volume = world.attach(volumeId);
  const request = world.stageRequest(volume);
  await stage(
    { ...request, reconnect: { ...request.reconnect, ...reconnect } },
    world.host,
    world.ctx,
  );
  await publish(world.publishRequest(volume, "pod"), world.host, world.ctx);
  await world.pass(1_500);
  assert.equal(stateOf(world, volume), "connected");
  return volume;
}

export function stateOf(world: WatchedWorld, { volumeId }: AttachedVolume) {
  return world.health.conditionOf(volumeId)?.state;
}

export function write(world: WatchedWorld, volume: AttachedVolume, name: string): void {
  world.write(targetPathOf(volume, "pod"), name, name);
}

/** What the pod wrote before, during and after an outage is on the disk, and nobody did any damage. */
export function assertAllWritten(world: WatchedWorld, volume: AttachedVolume): void {
  assert.deepEqual([...volume.disk.files.keys()], ["before", "during", "after"]);
  assert.deepEqual(world.kernel.damage, []);
}
