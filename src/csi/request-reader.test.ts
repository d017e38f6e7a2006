import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, credentials, status } from "@grpc/grpc-js";
import { controllerRig } from "#test/fakes/controller-rig.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { ControllerService } from "./gen/csi.ts";
import { CsiServer } from "./server.ts";

/** Sends bytes as a CreateVolumeRequest, as a CO in any language could. */
async function sender(t: TestContext) {
  const folder = temporaryFolder();
  const path = join(folder.path, "csi.sock");
  const log = new RecordingLog();
  const { handlers, store } = controllerRig();
  const server = new CsiServer({
    endpoint: `unix://${path}`,
    services: { identity: {}, controller: handlers },
    log,
    drainMilliseconds: 100,
  });
  await server.listen();
  const client = new Client(`unix://${path}`, credentials.createInsecure());
  t.after(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const send = (bytes: Uint8Array) =>
    new Promise((resolve, reject) => {
      const { path, responseDeserialize } = ControllerService.createVolume;
      const asIs = (request: Uint8Array) => Buffer.from(request);
      client.makeUnaryRequest(path, asIs, responseDeserialize, bytes, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  return { send, log, store };
}

/** `name` (field 1) and `capacity_range` (field 2) with one of its two sizes. */
function withSize(field: 1 | 2, bytes: bigint): Uint8Array {
  const writer = new BinaryWriter().uint32(10).string("pvc-1").uint32(18).fork();
  return writer
    .uint32(field * 8)
    .int64(bytes)
    .join()
    .finish();
}

test("a size beyond what numbers hold exactly is OUT_OF_RANGE, and stands in the log", async (t) => {
  const { send, log, store } = await sender(t);
  const details =
    "Cannot read the request: a size in it exceeds 9007199254740991 bytes, more than any volume can have";
  const sizes = [2n ** 53n, 2n ** 63n - 1n];
  for (const size of sizes)
    for (const field of [1, 2] as const)
      await assert.rejects(send(withSize(field, size)), { code: status.OUT_OF_RANGE, details });
  const refused = log.records.filter(({ message }) => message === "Call refused");
  assert.equal(refused.length, sizes.length * 2);
  assert.partialDeepStrictEqual(refused[0]?.fields, { rpc: "CreateVolume", reason: details });
  assert.deepEqual(store.calls, []);
});

test("bytes that are no message are INVALID_ARGUMENT, and the next call is served", async (t) => {
  const { send } = await sender(t);
  const unreadable = [[0xff, 0xff, 0xff], [10, 200, 1], [0x0f]].map((bytes) =>
    Uint8Array.from(bytes),
  );
  for (const bytes of [...unreadable, withSize(1, -(2n ** 63n))])
    await assert.rejects(send(bytes), {
      code: status.INVALID_ARGUMENT,
      details: /^Cannot read the request: /,
    });
  await assert.rejects(send(withSize(1, 1n)), {
    code: status.INVALID_ARGUMENT,
    details: "Cannot use the volume capabilities: volume_capabilities is empty",
  });
});
