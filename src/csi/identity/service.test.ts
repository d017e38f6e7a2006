import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import { type Log, silentLog } from "#lib/log.ts";
import { Readiness } from "./readiness.ts";
import { identityHandlers } from "./service.ts";

/** The messages that were logged, in order. */
function context(): Context & { readonly told: string[] } {
  const told: string[] = [];
  const log: Log = {
    ...silentLog,
    info: (_, message) => void told.push(message),
    warn: ({ reason }, message) => void told.push(`${message}: ${reason}`),
  };
  return { signal: new AbortController().signal, log, told };
}

class ManualClock implements Clock {
  time = 1_000;
  now = () => this.time;
  sleep = async () => {};
}

const options = { limitMilliseconds: 1_000, cacheMilliseconds: 5_000 };

test("identityHandlers() names the driver and promises online expansion", async () => {
  const handlers = identityHandlers({
    driverName: "rds.csi.srvlab.io",
    version: "1.2.3",
    ready: async () => true,
  });
  const info = await handlers.getPluginInfo?.({}, context());
  assert.deepEqual(info, { name: "rds.csi.srvlab.io", vendorVersion: "1.2.3", manifest: {} });
  const answer = await handlers.getPluginCapabilities?.({}, context());
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
  assert.deepEqual(await handlers.probe?.({}, context()), { ready: true });
});

test("Readiness.ready() answers false, and tells the reason once, while the check fails", async () => {
  const clock = new ManualClock();
  const ctx = context();
  let up = false;
  const check = async () => {
    if (!up) throw new Error('Cannot reach appliance "rds1": connection refused');
  };
  const readiness = new Readiness({ ...options, check, clock });
  assert.equal(await readiness.ready(ctx), false);
  clock.time += 6_000;
  assert.equal(await readiness.ready(ctx), false);
  up = true;
  clock.time += 6_000;
  assert.equal(await readiness.ready(ctx), true);
  assert.deepEqual(ctx.told, [
    'Not ready to serve: Cannot reach appliance "rds1": connection refused',
    "Ready to serve",
  ]);
});

test("Readiness.ready() asks once within the cache time", async () => {
  const clock = new ManualClock();
  let asked = 0;
  const check = async () => void asked++;
  const readiness = new Readiness({ ...options, check, clock });
  await readiness.ready(context());
  clock.time += 4_999;
  await readiness.ready(context());
  assert.equal(asked, 1);
  clock.time += 1;
  await readiness.ready(context());
  assert.equal(asked, 2);
});

test("Readiness.ready() does not wait for a check that hangs", async () => {
  const check = ({ signal }: Context) =>
    new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const clock = new ManualClock();
  const readiness = new Readiness({ ...options, limitMilliseconds: 20, check, clock });
  assert.equal(await readiness.ready(context()), false);
});
