import assert from "node:assert/strict";
import test from "node:test";
import { NodeWorld, stagingPathOf } from "#test/fakes/node/node-world.ts";
import { stage } from "./stage.ts";

/** All volumes of a node at once, as after its boot. @returns calls of the host for each. */
async function storm(count: number): Promise<number> {
  const world = new NodeWorld({ canHold: true });
  const volumes = Array.from({ length: count }, (_, index) => world.attach(`pvc-${index}`));
  await Promise.all(
    volumes.map((volume) => stage(world.stageRequest(volume), world.host, world.ctx)),
  );
  for (const volume of volumes) {
    assert.equal(world.mountsAt(stagingPathOf(volume)).length, 1);
    assert.equal(volume.disk.formats, 1);
    assert.equal(world.records.volumes.get(volume.volumeId)?.phase, "staged");
  }
  assert.deepEqual(world.kernel.damage, []);
  return world.faults.calls / count;
}

test("stage() of 100 volumes at once fails none, and asks the host no more for each than for one (pitfall 27)", async () => {
  assert.equal(await storm(100), await storm(1));
});
