import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePublishContext } from "#domain/publish-context.ts";
import { GiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import { blockCapability, mountCapability, publishRequest } from "#test/fakes/csi-requests.ts";
import type { ControllerPublishVolumeRequest } from "../gen/csi.ts";

function rig() {
  const world = controllerRig();
  putVolume(world.store, "pvc-a");
  const publish = (given: Partial<ControllerPublishVolumeRequest>) =>
    world.handlers.controllerPublishVolume(publishRequest(given), world.ctx);
  return { ...world, publish };
}

test("controllerPublishVolumeHandler() answers with a context that nodes can read", async () => {
  const { publishContext } = await rig().publish({});
  const { target, minSizeBytes } = decodePublishContext(publishContext);
  assert.deepEqual([target.addresses, target.port, minSizeBytes], [["10.42.67.1"], 4420, GiB]);
});

test("controllerPublishVolumeHandler() refuses what a request may not leave out or ask for", async () => {
  const refused: readonly [Partial<ControllerPublishVolumeRequest>, RegExp][] = [
    [{ volumeId: "" }, /volume_id is missing/],
    [{ nodeId: "" }, /node_id is missing/],
    [{ volumeCapability: undefined }, /it is missing/],
    [{ volumeCapability: mountCapability("", 5) }, /raw block volumes only/],
    [{ readonly: true }, /PUBLISH_READONLY is not supported/],
    [{ nodeId: "n1,n2" }, /node "n1,n2"/],
  ];
  for (const [given, message] of refused)
    await assert.rejects(rig().publish(given), { kind: "invalid-argument", message });
});

test("controllerPublishVolumeHandler() tells access modes apart", async () => {
  const { publish } = rig();
  await publish({ volumeCapability: blockCapability(5) });
  await publish({ volumeCapability: blockCapability(5), nodeId: "n2" });
  await assert.rejects(publish({ volumeCapability: blockCapability(3) }), {
    kind: "already-exists",
  });
});
