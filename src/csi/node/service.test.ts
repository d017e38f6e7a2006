import assert from "node:assert/strict";
import test from "node:test";
import {
  VolumeCapability_AccessMode_Mode as Mode,
  NodeExpandVolumeRequest,
  NodeGetVolumeStatsRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  NodeUnpublishVolumeRequest,
  NodeUnstageVolumeRequest,
  NodeServiceCapability_RPC_Type as Type,
  VolumeUsage_Unit as Unit,
  VolumeCapability,
} from "#csi/gen/csi.ts";
import { encodePublishContext } from "#domain/publish-context.ts";
import { GiB } from "#lib/bytes.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import { NodeWorld, stagingPathOf, targetPathOf } from "#test/fakes/node/node-world.ts";
import { nodeHandlers } from "./service.ts";

const volumeCapability = message(VolumeCapability, {
  mount: { fsType: "ext4", mountFlags: ["noatime"], volumeMountGroup: "" },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
});

/** A message as it arrives: fields that were not sent have their defaults. */
function message<Message>(
  type: { decode(bytes: Uint8Array): Message },
  fields: Partial<Message>,
): Message {
  return { ...type.decode(new Uint8Array()), ...fields };
}

/** A node's service with one volume attached, and the requests that kubelet would send for it. */
function node() {
  const world = new NodeWorld();
  const volume = world.attach("pvc-1");
  const locks = new KeyedMutex();
  const info = { nodeId: "worker-1", maxVolumesPerNode: 64 };
  const service = nodeHandlers({ host: world.host, locks, info });
  const [stagingTargetPath, targetPath] = [stagingPathOf(volume), targetPathOf(volume, "pod")];
  const target = { nqn: volume.nqn, addresses: ["192.0.2.10", "192.0.2.11"], port: 4420 };
  const common = { volumeId: "pvc-1", stagingTargetPath, volumeCapability };
  const stageRequest = message(NodeStageVolumeRequest, {
    ...common,
    publishContext: encodePublishContext({ target, minSizeBytes: GiB }),
    volumeContext: { ctrlLossTmo: "600", mkfsOptions: "-E lazy_itable_init=0" },
  });
  const publishRequest = message(NodePublishVolumeRequest, { ...common, targetPath });
  return { world, volume, locks, service, stageRequest, publishRequest, target };
}

test("nodeHandlers() serve the life of a volume on a node", async () => {
  const { world, volume, service, stageRequest, publishRequest, target } = node();
  const { ctx } = world;
  await service.nodeStageVolume(stageRequest, ctx);
  const record = world.records.volumes.get("pvc-1");
  assert.deepEqual(record?.target, target);
  assert.equal(record?.connect.ctrlLossTmoSeconds, 600);
  assert.deepEqual(record?.mkfsOptions, ["-E", "lazy_itable_init=0"]);
  await service.nodePublishVolume({ ...publishRequest, readonly: true }, ctx);
  const { volumeId, targetPath, stagingTargetPath } = publishRequest;
  assert.deepEqual(world.topmost(targetPath)?.options, ["rw", "nosuid", "nodev", "noatime", "ro"]);

  volume.disk.sizeBytes = 2 * GiB;
  const bigger = message(NodeExpandVolumeRequest, {
    volumeId,
    volumePath: targetPath,
    capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
  });
  assert.deepEqual(await service.nodeExpandVolume(bigger, ctx), { capacityBytes: 2 * GiB });

  const path = message(NodeGetVolumeStatsRequest, { volumeId, volumePath: targetPath });
  assert.deepEqual(await service.nodeGetVolumeStats(path, ctx), {
    usage: [
      { total: 2 * GiB, available: 2 * GiB, used: 0, unit: Unit.BYTES },
      { total: 1_000, available: 1_000, used: 0, unit: Unit.INODES },
    ],
    volumeCondition: { abnormal: false, message: "The volume is connected and answers" },
  });

  const leave = message(NodeUnpublishVolumeRequest, { volumeId, targetPath });
  await service.nodeUnpublishVolume(leave, ctx);
  const end = message(NodeUnstageVolumeRequest, { volumeId, stagingTargetPath });
  await service.nodeUnstageVolume(end, ctx);
  assert.deepEqual(world.kernel.mounts, []);
  assert.equal(world.kernel.controllers.size, 0);
});

test("nodeHandlers() remember what a volume was copied from", async () => {
  const { world, service, stageRequest } = node();
  const publishContext = { ...stageRequest.publishContext, source: "snap-7" };
  await service.nodeStageVolume({ ...stageRequest, publishContext }, world.ctx);
  assert.equal(world.records.volumes.get("pvc-1")?.source, "snap-7");
});

test("nodeHandlers() answer invalid-argument for each field that is missing, by its name", async () => {
  const { world, service, stageRequest, publishRequest } = node();
  const { ctx } = world;
  const volumeId = "pvc-1";
  const calls: [() => Promise<unknown>, RegExp][] = [
    [() => service.nodeStageVolume({ ...stageRequest, volumeId: "" }, ctx), /volume_id/],
    [
      () => service.nodeStageVolume({ ...stageRequest, stagingTargetPath: "" }, ctx),
      /staging_target_path/,
    ],
    [
      () => service.nodeStageVolume({ ...stageRequest, volumeCapability: undefined }, ctx),
      /volume capability/,
    ],
    [
      () => service.nodeStageVolume({ ...stageRequest, publishContext: {} }, ctx),
      /publish context/,
    ],
    [
      () => service.nodeStageVolume({ ...stageRequest, volumeContext: { ctrlLossTmo: "x" } }, ctx),
      /ctrlLossTmo/,
    ],
    [
      () => service.nodeStageVolume({ ...stageRequest, volumeContext: { mkfsOptions: "-F" } }, ctx),
      /mkfsOptions/,
    ],
    [() => service.nodePublishVolume({ ...publishRequest, volumeId: "" }, ctx), /volume_id/],
    [() => service.nodePublishVolume({ ...publishRequest, targetPath: "" }, ctx), /target_path/],
    [
      () => service.nodePublishVolume({ ...publishRequest, stagingTargetPath: "" }, ctx),
      /staging_target_path/,
    ],
    [
      () => service.nodePublishVolume({ ...publishRequest, volumeCapability: undefined }, ctx),
      /volume capability/,
    ],
    [
      () => service.nodeUnpublishVolume(message(NodeUnpublishVolumeRequest, { volumeId }), ctx),
      /target_path/,
    ],
    [
      () => service.nodeUnstageVolume(message(NodeUnstageVolumeRequest, { volumeId }), ctx),
      /staging_target_path/,
    ],
    [
      () => service.nodeGetVolumeStats(message(NodeGetVolumeStatsRequest, { volumeId }), ctx),
      /volume_path/,
    ],
    [
      () => service.nodeExpandVolume(message(NodeExpandVolumeRequest, { volumeId }), ctx),
      /volume_path/,
    ],
  ];
  for (const [call, message] of calls)
    await assert.rejects(call(), { kind: "invalid-argument", message });
  assert.equal(world.faults.calls, 0, "nothing was touched");
});

test("nodeExpandVolume() answers out-of-range for sizes that exclude each other", async () => {
  const { world, service } = node();
  const request = message(NodeExpandVolumeRequest, {
    volumeId: "pvc-1",
    volumePath: "/path",
    capacityRange: { requiredBytes: 2 * GiB, limitBytes: GiB },
  });
  await assert.rejects(service.nodeExpandVolume(request, world.ctx), { kind: "out-of-range" });
});

test("nodeHandlers() answer the second call for a volume at once (pitfalls 2 and 26)", async () => {
  const { world, locks, service, stageRequest } = node();
  using _held = locks.tryAcquire("pvc-1");
  await assert.rejects(service.nodeStageVolume(stageRequest, world.ctx), {
    kind: "operation-pending",
  });
  assert.equal(world.kernel.controllers.size, 0);
});

test("nodeGetVolumeStats() answers while another call for the volume hangs", async () => {
  const { world, locks, service, stageRequest } = node();
  await service.nodeStageVolume(stageRequest, world.ctx);
  using _held = locks.tryAcquire("pvc-1");
  const { volumeId, stagingTargetPath: volumePath } = stageRequest;
  const request = message(NodeGetVolumeStatsRequest, { volumeId, volumePath });
  const { volumeCondition } = await service.nodeGetVolumeStats(request, world.ctx);
  assert.equal(volumeCondition?.abnormal, false);
});

test("nodeGetInfo() and nodeGetCapabilities() tell what this node is and can do", async () => {
  const { world, service } = node();
  assert.deepEqual(await service.nodeGetInfo({}, world.ctx), {
    nodeId: "worker-1",
    maxVolumesPerNode: 64,
    accessibleTopology: undefined,
  });
  const { capabilities } = await service.nodeGetCapabilities({}, world.ctx);
  assert.deepEqual(
    capabilities.map(({ rpc }) => rpc?.type),
    [
      Type.STAGE_UNSTAGE_VOLUME,
      Type.GET_VOLUME_STATS,
      Type.EXPAND_VOLUME,
      Type.VOLUME_CONDITION,
      Type.SINGLE_NODE_MULTI_WRITER,
    ],
  );
});
