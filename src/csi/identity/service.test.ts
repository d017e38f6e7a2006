import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context } from "#lib/context.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import { Readiness } from "./readiness.ts";
import { identityHandlers } from "./service.ts";

const options = { limitMilliseconds: 1_000, cacheMilliseconds: 5_000 };

test("identityHandlers() names the driver and promises online expansion", async () => {
  const handlers = identityHandlers({
    driverName: "rds.csi.srvlab.io",
    version: "1.2.3",
    ready: async () => true,
  });
  const info = await handlers.getPluginInfo?.({}, testContext());
  assert.deepEqual(info, { name: "rds.csi.srvlab.io", vendorVersion: "1.2.3", manifest: {} });
  const answer = await handlers.getPluginCapabilities?.({}, testContext());
  assert.deepEqual(
    answer?.capabilities.map(({ service, volumeExpansion }) => [
      service?.type,
      volumeExpansion?.type,
    ]),
    [
      [1, undefined],
      [undefined, 1],
    ],
  );
  assert.deepEqual(await handlers.probe?.({}, testContext()), { ready: true });
});

test("Readiness.ready() answers false, and tells the reason once, while the check fails", async () => {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const ctx = testContext({ log });
  let up = false;
  const check = async () => {
    if (!up) throw new Error('Cannot reach appliance "rds1": connection refused');
  };
  const readiness = new Readiness({ ...options, check, clock });
  assert.equal(await readiness.ready(ctx), false);
  clock.advance(6_000);
  assert.equal(await readiness.ready(ctx), false);
  up = true;
  clock.advance(6_000);
  assert.equal(await readiness.ready(ctx), true);
  assert.deepEqual(
    log.records.map(({ message, fields }) => [message, fields["reason"]]),
    [
      ["Not ready to serve", 'Cannot reach appliance "rds1": connection refused'],
      ["Ready to serve", undefined],
    ],
  );
});

test("Readiness.ready() asks once within the cache time", async () => {
  const clock = new ManualClock();
  let asked = 0;
  const check = async () => void asked++;
  const readiness = new Readiness({ ...options, check, clock });
  await readiness.ready(testContext());
  clock.advance(4_999);
  await readiness.ready(testContext());
  assert.equal(asked, 1);
  clock.advance(1);
  await readiness.ready(testContext());
  assert.equal(asked, 2);
});

test("Readiness.ready() does not wait for a check that hangs", async () => {
  const check = ({ signal }: Context) =>
    new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const clock = new ManualClock();
  const readiness = new Readiness({ ...options, limitMilliseconds: 20, check, clock });
  assert.equal(await readiness.ready(testContext()), false);
});

test("Readiness.ready() gets to the end of a slow check though no caller waits for it", async () => {
  const { promise: checked, resolve: finish } = Promise.withResolvers<void>();
  let checks = 0;
  const check = async ({ signal }: Context) => {
    checks += 1;
    await checked;
    signal.throwIfAborted();
  };
  const log = new RecordingLog();
  const readiness = new Readiness({ ...options, check, clock: new ManualClock() });
  for (let call = 0; call < 3; call += 1) {
    const hasty = testContext({ signal: AbortSignal.abort(new Error("gone")), log });
    await assert.rejects(readiness.ready(hasty), { message: "gone" });
  }
  assert.deepEqual(log.records, []);
  finish();
  assert.equal(await readiness.ready(testContext({ log })), true);
  assert.equal(checks, 1);
});
