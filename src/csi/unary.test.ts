import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { DriverError } from "#domain/errors.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { CsiClient } from "./client.ts";
import { CsiServer } from "./server.ts";

test("a refusal that quotes too much is cut to one line, and the connection outlives it", async () => {
  using folder = temporaryFolder();
  const endpoint = `unix://${join(folder.path, "csi.sock")}`;
  const controllerGetVolume = async ({ volumeId }: { volumeId: string }) => {
    throw new DriverError("not-found", `Cannot find volume "${volumeId}"`);
  };
  const services = { identity: {}, controller: { controllerGetVolume } };
  const log = new RecordingLog();
  await using server = new CsiServer({ endpoint, services, log, drainMilliseconds: 100 });
  await server.listen();
  using client = new CsiClient(endpoint);
  const refusals = [
    ["ö".repeat(100_000), `Cannot find volume "${"ö".repeat(980)}…`],
    ["😀".repeat(100_000), `Cannot find volume "${"😀".repeat(490)}…`],
    ["a\r\n\tb\0", 'Cannot find volume "a b "'],
  ] as const;
  for (const [volumeId, details] of refusals)
    await assert.rejects(client.controller.controllerGetVolume({ volumeId }), {
      code: status.NOT_FOUND,
      details,
    });
});
