import assert from "node:assert/strict";
import { test } from "node:test";
import { GiB, MiB } from "#lib/bytes.ts";
import { controllerRig } from "#test/fakes/controller-rig.ts";
import { blockCapability, createVolumeRequest, mountCapability } from "#test/fakes/csi-requests.ts";
import type { CreateVolumeRequest } from "../gen/csi.ts";

function create(given: Partial<CreateVolumeRequest>) {
  const { handlers, ctx } = controllerRig();
  return handlers.createVolume(createVolumeRequest(given), ctx);
}

test("createVolumeHandler() answers with id, size and context", async () => {
  const parameters = { ctrlLossTmo: "600", appliance: "rds" };
  assert.deepEqual(await create({ parameters }), {
    volume: {
      volumeId: "pvc-h4oj4yekkvgdthj6bvfg6d4kce",
      capacityBytes: GiB,
      volumeContext: { ctrlLossTmo: "600" },
      contentSource: undefined,
      accessibleTopology: [],
    },
  });
});

test("createVolumeHandler() hands on the capacity range and the file system", async () => {
  const capacityRange = { requiredBytes: 5 * MiB + 1, limitBytes: 0 };
  const block = await create({ capacityRange, volumeCapabilities: [blockCapability()] });
  assert.equal(block.volume?.capacityBytes, 6 * MiB);
  const xfs = await create({ capacityRange, volumeCapabilities: [mountCapability("xfs")] });
  assert.equal(xfs.volume?.capacityBytes, 300 * MiB);
});

test("createVolumeHandler() passes over topology, for every node reaches the appliance", async () => {
  const accessibilityRequirements = { requisite: [{ segments: { zone: "a" } }], preferred: [] };
  assert.ok((await create({ accessibilityRequirements })).volume);
});

test("createVolumeHandler() refuses what a request may not ask for", async () => {
  const refused: readonly [Partial<CreateVolumeRequest>, RegExp][] = [
    [{ name: "" }, /name is empty/],
    [{ volumeCapabilities: [] }, /volume_capabilities is empty/],
    [{ volumeCapabilities: [blockCapability(), mountCapability()] }, /cannot be both/],
    [{ volumeCapabilities: [mountCapability("ntfs")] }, /"ntfs"/],
    [{ volumeCapabilities: [mountCapability("", 5)] }, /raw block volumes only/],
    [{ capacityRange: { requiredBytes: -1, limitBytes: 0 } }, /negative/],
    [{ mutableParameters: { iops: "5" } }, /mutable parameter "iops"/],
    [{ volumeContentSource: {} }, /exactly one is needed/],
    [{ volumeContentSource: { snapshot: { snapshotId: "" } } }, /exactly one is needed/],
    [
      { volumeContentSource: { snapshot: { snapshotId: "s" }, volume: { volumeId: "v" } } },
      /snapshot_id "s" and volume_id "v": exactly one/,
    ],
  ];
  for (const [given, message] of refused)
    await assert.rejects(create(given), { kind: "invalid-argument", message });
});
