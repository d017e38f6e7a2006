import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverError } from "#domain/errors.ts";
import { GiB, MiB } from "#lib/bytes.ts";
import { controllerRig, putVolume } from "#test/fakes/controller-rig.ts";
import {
  blockCapability,
  createVolumeRequest,
  mountCapability,
  publishRequest,
} from "#test/fakes/csi-requests.ts";
import { ControllerServiceCapability_RPC_Type as Rpc } from "../gen/csi.ts";

const expandRequest = (
  capacityRange: { requiredBytes: number; limitBytes: number } | undefined,
) => ({
  volumeId: "pvc-a",
  capacityRange,
  secrets: {},
  volumeCapability: undefined,
});
const validateRequest = {
  volumeId: "pvc-a",
  volumeContext: {},
  volumeCapabilities: [mountCapability()],
  parameters: {},
  secrets: {},
  mutableParameters: {},
};
const page = (maxEntries: number, startingToken = "") => ({ maxEntries, startingToken });

function rig() {
  const world = controllerRig();
  putVolume(world.store, "pvc-a");
  return world;
}

test("controllerHandlers() announces what it can do, and no more", async () => {
  const { handlers, ctx } = rig();
  const { capabilities } = await handlers.controllerGetCapabilities({}, ctx);
  const names = Object.entries(Rpc).filter(([, type]) =>
    capabilities.some(({ rpc }) => rpc?.type === type),
  );
  assert.deepEqual(
    names.map(([name]) => name),
    [
      "CREATE_DELETE_VOLUME",
      "PUBLISH_UNPUBLISH_VOLUME",
      "LIST_VOLUMES",
      "GET_CAPACITY",
      "CREATE_DELETE_SNAPSHOT",
      "LIST_SNAPSHOTS",
      "CLONE_VOLUME",
      "EXPAND_VOLUME",
      "LIST_VOLUMES_PUBLISHED_NODES",
      "VOLUME_CONDITION",
      "GET_VOLUME",
      "SINGLE_NODE_MULTI_WRITER",
      "GET_SNAPSHOT",
    ],
  );
});

test("controllerHandlers() lets calls for one volume exclude each other, CreateVolume too (pitfall 2)", async () => {
  const { handlers, store, ctx } = controllerRig();
  const volumeId = "pvc-h4oj4yekkvgdthj6bvfg6d4kce";
  putVolume(store, volumeId);
  const calls = [
    () => handlers.createVolume(createVolumeRequest(), ctx),
    () => handlers.deleteVolume({ volumeId, secrets: {} }, ctx),
    () => handlers.controllerPublishVolume(publishRequest({ volumeId }), ctx),
    () => handlers.controllerUnpublishVolume({ volumeId, nodeId: "", secrets: {} }, ctx),
    () =>
      handlers.controllerExpandVolume(
        { ...expandRequest({ requiredBytes: 1, limitBytes: 0 }), volumeId },
        ctx,
      ),
  ];
  const [first, ...others] = await Promise.allSettled(calls.map((call) => call()));
  assert.equal(first?.status, "fulfilled");
  for (const other of others) {
    assert.equal(other.status, "rejected");
    assert.equal(other.reason.kind, "operation-pending");
    assert.match(other.reason.message, new RegExp(`volume "${volumeId}"`));
  }
  for (const call of calls.slice(2)) await call();
});

test("controllerHandlers() lets calls for different volumes, and calls that only read, run side by side", async () => {
  const { handlers, store, ctx } = rig();
  putVolume(store, "pvc-b");
  const results = await Promise.all([
    handlers.controllerPublishVolume(publishRequest(), ctx),
    handlers.controllerPublishVolume(publishRequest({ volumeId: "pvc-b" }), ctx),
    handlers.controllerGetVolume({ volumeId: "pvc-a" }, ctx),
    handlers.validateVolumeCapabilities(validateRequest, ctx),
    handlers.listVolumes(page(0), ctx),
  ]);
  assert.equal(results.length, 5);
});

test("controllerHandlers() wants an id in every call about one volume", async () => {
  const { handlers, ctx } = rig();
  const calls = [
    () => handlers.deleteVolume({ volumeId: "", secrets: {} }, ctx),
    () => handlers.controllerUnpublishVolume({ volumeId: "", nodeId: "n1", secrets: {} }, ctx),
    () => handlers.controllerGetVolume({ volumeId: "" }, ctx),
    () => handlers.validateVolumeCapabilities({ ...validateRequest, volumeId: "" }, ctx),
  ];
  for (const call of calls)
    await assert.rejects(call(), {
      kind: "invalid-argument",
      message: "Cannot answer the call: volume_id is missing",
    });
});

test("controllerExpandVolume() always sends the node to work, also for a retry (pitfall 23)", async () => {
  const { handlers, ctx } = rig();
  const volumeCapability = blockCapability();
  for (const requiredBytes of [2 * GiB, 2 * GiB, MiB])
    assert.deepEqual(
      await handlers.controllerExpandVolume(
        { ...expandRequest({ requiredBytes, limitBytes: 0 }), volumeCapability },
        ctx,
      ),
      { capacityBytes: 2 * GiB, nodeExpansionRequired: true },
    );
});

test("controllerExpandVolume() refuses a call without a size, or for an impossible use", async () => {
  const { handlers, ctx } = rig();
  const range = { requiredBytes: GiB, limitBytes: 0 };
  const wrong = [
    expandRequest(undefined),
    expandRequest({ requiredBytes: 0, limitBytes: 0 }),
    { ...expandRequest(range), volumeCapability: mountCapability("ntfs") },
    { ...expandRequest(range), volumeId: "" },
  ];
  for (const request of wrong)
    await assert.rejects(handlers.controllerExpandVolume(request, ctx), {
      kind: "invalid-argument",
    });
});

test("listVolumes() pages by tokens, and shows the nodes and the condition of each volume", async () => {
  const { handlers, store, ctx } = rig();
  putVolume(store, "pvc-b");
  await handlers.controllerPublishVolume(publishRequest({ volumeId: "pvc-b" }), ctx);
  const first = await handlers.listVolumes(page(1), ctx);
  const second = await handlers.listVolumes(page(1, first.nextToken), ctx);
  const ids = [first, second].map(({ entries }) => entries.map(({ volume }) => volume?.volumeId));
  assert.deepEqual(ids, [["pvc-a"], ["pvc-b"]]);
  assert.equal(second.nextToken, "");
  assert.deepEqual(second.entries[0]?.status, {
    publishedNodeIds: ["n1"],
    volumeCondition: { abnormal: false, message: 'Attached to "n1"' },
  });
});

test("listVolumes() refuses a negative page, and makes the CO start over for a strange token", async () => {
  const { handlers, ctx } = rig();
  await assert.rejects(handlers.listVolumes(page(-1), ctx), { kind: "invalid-argument" });
  for (const token of ["invalid-token", "after:", "after:../x", "pvc-a"])
    await assert.rejects(handlers.listVolumes(page(0, token), ctx), {
      kind: "operation-pending",
      message: `Cannot list volumes: starting_token "${token}" is not one of this driver`,
    });
});

test("controllerGetVolume() shows one volume, or says that it is not there", async () => {
  const { handlers, ctx } = rig();
  const { volume, status } = await handlers.controllerGetVolume({ volumeId: "pvc-a" }, ctx);
  assert.partialDeepStrictEqual(volume, { volumeId: "pvc-a", capacityBytes: GiB });
  assert.deepEqual(status?.publishedNodeIds, []);
  await assert.rejects(handlers.controllerGetVolume({ volumeId: "pvc-b" }, ctx), {
    kind: "not-found",
    message: 'Cannot find volume "pvc-b": appliance "rds" has no such disk',
  });
});

test("validateVolumeCapabilities() repeats what it confirms", async () => {
  const { handlers, ctx } = rig();
  const volumeContext = { ctrlLossTmo: "600" };
  const request = { ...validateRequest, volumeContext };
  const { volumeCapabilities, parameters } = request;
  assert.deepEqual(await handlers.validateVolumeCapabilities(request, ctx), {
    confirmed: { volumeContext, volumeCapabilities, parameters, mutableParameters: {} },
    message: "",
  });
});

test("validateVolumeCapabilities() says why it does not confirm", async () => {
  const { handlers, ctx } = rig();
  const doubtful = [
    [{ volumeCapabilities: [mountCapability(), mountCapability("ntfs")] }, /"ntfs"/],
    [{ volumeCapabilities: [{ accessMode: undefined }] }, /access mode UNKNOWN/],
    [{ parameters: { colour: "red" } }, /"colour"/],
    [{ mutableParameters: { iops: "5" } }, /"iops"/],
  ] as const;
  for (const [part, message] of doubtful) {
    const request = { ...validateRequest, ...part } as typeof validateRequest;
    const answer = await handlers.validateVolumeCapabilities(request, ctx);
    assert.equal(answer.confirmed, undefined);
    assert.match(answer.message, message);
  }
});

test("validateVolumeCapabilities() needs a volume that exists, and something to validate", async () => {
  const { handlers, ctx } = rig();
  const validate = (part: Partial<typeof validateRequest>) =>
    handlers.validateVolumeCapabilities({ ...validateRequest, ...part }, ctx);
  await assert.rejects(validate({ volumeId: "pvc-b" }), { kind: "not-found" });
  await assert.rejects(validate({ volumeCapabilities: [] }), { kind: "invalid-argument" });
});

test("validateVolumeCapabilities() fails when the appliance does not answer", async () => {
  const { handlers, store, ctx } = rig();
  const error = new DriverError("unavailable", "Cannot reach appliance");
  store.failNext({ method: "find", when: "before", error });
  await assert.rejects(handlers.validateVolumeCapabilities(validateRequest, ctx), {
    kind: "unavailable",
  });
});

test("getCapacity() shows what is available, and nothing for uses that are not supported", async () => {
  const { handlers, ctx } = rig();
  const ask = (volumeCapabilities: ReturnType<typeof mountCapability>[]) =>
    handlers.getCapacity(
      { volumeCapabilities, parameters: {}, accessibleTopology: undefined },
      ctx,
    );
  const { availableCapacity, maximumVolumeSize, minimumVolumeSize } = await ask([
    mountCapability("xfs"),
  ]);
  assert.ok(availableCapacity > 800 * GiB && maximumVolumeSize === availableCapacity);
  assert.equal(minimumVolumeSize, 300 * MiB);
  for (const unsupported of [
    [mountCapability("ntfs")],
    [mountCapability("", 5)],
    [mountCapability(), blockCapability()],
  ])
    assert.equal((await ask(unsupported)).availableCapacity, 0);
});

test("controllerUnpublishVolume() takes the volume from one node, or from all when none is named", async () => {
  const { handlers, ctx } = rig();
  const volumeCapability = blockCapability(5);
  const nodes = async () =>
    (await handlers.controllerGetVolume({ volumeId: "pvc-a" }, ctx)).status?.publishedNodeIds;
  for (const nodeId of ["n1", "n2"])
    await handlers.controllerPublishVolume(publishRequest({ volumeCapability, nodeId }), ctx);
  await handlers.controllerUnpublishVolume({ volumeId: "pvc-a", nodeId: "n1", secrets: {} }, ctx);
  assert.deepEqual(await nodes(), ["n2"]);
  await handlers.controllerPublishVolume(publishRequest({ volumeCapability }), ctx);
  await handlers.controllerUnpublishVolume({ volumeId: "pvc-a", nodeId: "", secrets: {} }, ctx);
  assert.deepEqual(await nodes(), []);
});
