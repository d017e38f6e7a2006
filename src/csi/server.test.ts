import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type CallOptions,
  credentials,
  getChannelzHandlers,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { DriverError } from "#domain/errors.ts";
import type { Context } from "#lib/context.ts";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { RecordingLog } from "#test/fakes/recording-log.ts";
import {
  ControllerClient,
  type CreateVolumeRequest,
  type CreateVolumeResponse,
  GetCapacityRequest,
  IdentityClient,
  type ListVolumesResponse_Entry,
  NodeClient,
} from "./gen/csi.ts";
import { CsiServer } from "./server.ts";
import type { ControllerHandlers } from "./service-handlers.ts";

interface Rig {
  readonly path: string;
  readonly server: CsiServer;
  readonly log: RecordingLog;
  readonly controller: ControllerClient;
}

/** A served controller and a client on its socket. */
async function serve(
  t: TestContext,
  controller: ControllerHandlers,
  drainMilliseconds = 2_000,
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-"));
  const path = join(folder, "csi.sock");
  const log = new RecordingLog();
  const server = new CsiServer({
    endpoint: `unix://${path}`,
    services: { identity: { probe: async () => ({ ready: true }) }, controller },
    log,
    drainMilliseconds,
  });
  await server.listen();
  const client = new ControllerClient(`unix://${path}`, credentials.createInsecure());
  t.after(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  return { path, server, log, controller: client };
}

const volume = (name: string) => createVolumeRequest({ name });

const created: CreateVolumeResponse = {
  volume: {
    capacityBytes: 2 ** 40,
    volumeId: "pvc-1",
    volumeContext: {},
    contentSource: undefined,
    accessibleTopology: [],
  },
};

function createVolume(
  client: ControllerClient,
  request: CreateVolumeRequest,
  options: Partial<CallOptions> = {},
): Promise<CreateVolumeResponse> {
  return new Promise((resolve, reject) => {
    client.createVolume(request, new Metadata(), options, (error, response) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

/** Resolves with the context of the first call, which then waits for `release` or its signal. */
function blockingHandler() {
  const entered = Promise.withResolvers<Context>();
  const released = Promise.withResolvers<void>();
  const handler = async (_: CreateVolumeRequest, ctx: Context): Promise<CreateVolumeResponse> => {
    entered.resolve(ctx);
    const gone = new Promise<never>((_resolve, reject) =>
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)),
    );
    await Promise.race([released.promise, gone]);
    return created;
  };
  return { handler, entered: entered.promise, release: () => released.resolve() };
}

test("CsiServer answers over a socket that only its user and group may use", async (t) => {
  const { path, controller } = await serve(t, { createVolume: async () => created });
  assert.deepEqual(await createVolume(controller, volume("pvc-1")), created);
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

test("CsiServer answers clients that call it localhost, or by the escaped path of its socket", async (t) => {
  const { path } = await serve(t, {});
  for (const authority of ["localhost", encodeURIComponent(path)]) {
    const client = new IdentityClient(`unix://${path}`, credentials.createInsecure(), {
      "grpc.default_authority": authority,
    });
    const ready = await new Promise((resolve, reject) =>
      client.probe({}, (error, response) => (error ? reject(error) : resolve(response.ready))),
    );
    assert.equal(ready, true, authority);
    client.close();
  }
});

test("CsiServer listens on TCP for tools", async () => {
  const options = { log: new RecordingLog(), drainMilliseconds: 100 };
  const services = { identity: { probe: async () => ({ ready: false }) } };
  await using server = new CsiServer({ ...options, endpoint: "tcp://127.0.0.1:0", services });
  const client = new IdentityClient(
    `127.0.0.1:${await server.listen()}`,
    credentials.createInsecure(),
  );
  const ready = await new Promise((resolve, reject) =>
    client.probe({}, (error, response) => (error ? reject(error) : resolve(response.ready))),
  );
  assert.equal(ready, false);
  client.close();
});

test("CsiServer answers UNIMPLEMENTED for calls without a handler and services it has not", async (t) => {
  const { path, controller } = await serve(t, {});
  await assert.rejects(createVolume(controller, volume("x")), { code: status.UNIMPLEMENTED });
  const node = new NodeClient(`unix://${path}`, credentials.createInsecure());
  const error = await new Promise<ServiceError | null>((resolve) => node.nodeGetInfo({}, resolve));
  assert.equal(error?.code, status.UNIMPLEMENTED);
  node.close();
});

test("CsiServer maps failures and passes their words, also half a surrogate pair", async (t) => {
  const { controller } = await serve(t, {
    createVolume: async ({ name }) => {
      if (name === "bug") throw new TypeError("password hunter2");
      throw new DriverError("out-of-range", 'Cannot create "\ud800": 100 % of 5 ö are taken');
    },
  });
  await assert.rejects(createVolume(controller, volume("x")), {
    code: status.OUT_OF_RANGE,
    details: 'Cannot create "\ufffd": 100 % of 5 ö are taken',
  });
  await assert.rejects(createVolume(controller, volume("bug")), {
    code: status.INTERNAL,
    details: "Cannot answer the call: internal error, see the log of the driver",
  });
});

test("CsiServer logs one line per change, with what it was about, and its bugs with their stack", async (t) => {
  const { controller, log } = await serve(t, {
    createVolume: async ({ name }) => {
      if (name === "bug") throw new TypeError("oops");
      if (name === "full") throw new DriverError("resource-exhausted", "Cannot create: full");
      return created;
    },
    getCapacity: async () => ({
      availableCapacity: 1,
      maximumVolumeSize: undefined,
      minimumVolumeSize: undefined,
    }),
  });
  await createVolume(controller, volume("fine"));
  await assert.rejects(createVolume(controller, volume("full")));
  await assert.rejects(createVolume(controller, volume("bug")));
  await new Promise((resolve) =>
    controller.getCapacity(GetCapacityRequest.decode(Buffer.of()), resolve),
  );
  const told = log.records.filter(({ level, fields }) => level !== "debug" && "rpc" in fields);
  assert.deepEqual(
    told.map(({ level, message, fields }) => [
      level,
      message,
      fields["rpc"],
      fields["name"],
      fields["code"],
    ]),
    [
      ["info", "Call answered", "CreateVolume", "fine", "OK"],
      ["warn", "Call refused", "CreateVolume", "full", "RESOURCE_EXHAUSTED"],
      ["error", "Call failed", "CreateVolume", "bug", "INTERNAL"],
    ],
  );
  assert.equal(told[1]?.fields["reason"], "Cannot create: full");
  assert.ok(told[2]?.fields["err"] instanceof TypeError);
  assert.equal(new Set(told.map(({ fields }) => fields["callId"])).size, 3);
  for (const { fields } of told) assert.equal(typeof fields["durationMs"], "number");
});

test("CsiServer never logs a secret, whatever the level and the outcome", async (t) => {
  const { controller, log } = await serve(t, {
    createVolume: async ({ name }) => {
      if (name === "bug") throw new TypeError("oops");
      return created;
    },
  });
  const secrets = { password: "hunter2" };
  await createVolume(controller, { ...volume("fine"), secrets });
  await assert.rejects(createVolume(controller, { ...volume("bug"), secrets }));
  const text = JSON.stringify(log.records);
  assert.match(text, /"request":\{[^}]*"name":"fine"/);
  assert.doesNotMatch(text, /hunter2/);
});

test("CsiServer tells the handler when its caller has gone", async (t) => {
  const { handler, entered } = blockingHandler();
  const { controller, log } = await serve(t, { createVolume: handler });
  const call = controller.createVolume(volume("pvc-1"), () => {});
  const { signal } = await entered;
  assert.equal(signal.aborted, false);
  call.cancel();
  while (!signal.aborted) await delay(2);
  assert.equal(signal.reason.name, "AbortError");
  while (log.records.at(-1)?.message !== "Call refused") await delay(2);
  assert.equal(log.records.at(-1)?.fields["code"], "CANCELLED");
});

test("CsiServer tells the handler when the deadline of its call has passed", async (t) => {
  const { handler, entered } = blockingHandler();
  const { controller } = await serve(t, { createVolume: handler });
  const answered = createVolume(controller, volume("pvc-1"), { deadline: Date.now() + 100 });
  await assert.rejects(answered, { code: status.DEADLINE_EXCEEDED });
  const { signal } = await entered;
  while (!signal.aborted) await delay(2);
});

test("CsiServer leaves the signal of an answered call alone", async (t) => {
  const { handler, entered, release } = blockingHandler();
  const { controller } = await serve(t, { createVolume: handler });
  release();
  await createVolume(controller, volume("pvc-1"));
  await delay(20);
  assert.equal((await entered).signal.aborted, false);
});

test("CsiServer carries a list of 10,000 volumes to a client with default limits", async (t) => {
  const entry = (index: number): ListVolumesResponse_Entry => ({
    volume: {
      capacityBytes: 2 ** 40,
      volumeId: `rds1/pvc-${String(index).padStart(26, "a")}`,
      volumeContext: { ctrlLossTmo: "-1", reconnectDelay: "5" },
      contentSource: undefined,
      accessibleTopology: [],
    },
    status: { publishedNodeIds: ["worker-1.example.net"], volumeCondition: undefined },
  });
  const entries = Array.from({ length: 10_000 }, (_, index) => entry(index));
  const { controller } = await serve(t, {
    listVolumes: async () => ({ entries, nextToken: "" }),
  });
  const listed = await new Promise((resolve, reject) =>
    controller.listVolumes({ maxEntries: 0, startingToken: "" }, (error, response) =>
      error ? reject(error) : resolve(response.entries.length),
    ),
  );
  assert.equal(listed, 10_000);
});

test("CsiServer keeps no books about its connections, which grow for ever in grpc-js (pitfall 33)", async (t) => {
  const { controller } = await serve(t, { createVolume: async () => created });
  await createVolume(controller, volume("pvc-1"));
  const known = await new Promise((resolve, reject) => {
    const request = { start_server_id: "0", max_results: "100" };
    getChannelzHandlers()["GetServers"]?.(
      // The handler reads nothing of a call but its request.
      { request } as never,
      (error, response) => (error ? reject(error) : resolve(response?.server)),
    );
  });
  assert.deepEqual(known, []);
});

test("CsiServer keeps nothing of calls that are over (pitfall 33)", async (t) => {
  const signals: WeakRef<AbortSignal>[] = [];
  const createVolume_ = async (_: CreateVolumeRequest, { signal }: Context) => {
    signals.push(new WeakRef(signal));
    return created;
  };
  const { controller } = await serve(t, { createVolume: createVolume_ });
  for (let call = 0; call < 50; call++) await createVolume(controller, volume("pvc-1"));
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  await delay(50);
  collectGarbage();
  const kept = signals.filter((signal) => signal.deref() !== undefined).length;
  // What the last ones were made of may still be at hand for the next.
  assert.ok(kept <= 5, `${kept} of ${signals.length}`);
});

test("CsiServer takes over the socket of a process that died, and not that of a live one", async (t) => {
  const { path, server } = await serve(t, {});
  const second = () =>
    new CsiServer({
      endpoint: path,
      services: { identity: {} },
      log: new RecordingLog(),
      drainMilliseconds: 100,
    });
  await assert.rejects(second().listen(), {
    message: `Cannot listen on "${path}": another process is listening there`,
  });
  await server[Symbol.asyncDispose]();
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  assert.ok(existsSync(path));
  await using successor = second();
  await successor.listen();
});

test("CsiServer says why it cannot listen", async () => {
  const server = new CsiServer({
    endpoint: "/nonexistent/csi.sock",
    services: { identity: {} },
    log: new RecordingLog(),
    drainMilliseconds: 100,
  });
  await assert.rejects(server.listen(), {
    kind: "failed-precondition",
    message: 'Cannot listen on "/nonexistent/csi.sock": the folder "/nonexistent" does not exist',
  });
});

test("CsiServer finishes running calls and refuses new ones while it shuts down", async (t) => {
  const { handler, entered, release } = blockingHandler();
  const { controller, server, path } = await serve(t, { createVolume: handler });
  const running = createVolume(controller, volume("pvc-1"));
  await entered;
  const closed = server[Symbol.asyncDispose]();
  await delay(20);
  await assert.rejects(createVolume(controller, volume("pvc-2")), { code: status.UNAVAILABLE });
  release();
  assert.deepEqual(await running, created);
  await closed;
  assert.ok(!existsSync(path));
});

test("CsiServer cancels what is still running when its time to drain is over", async (t) => {
  const { handler, entered } = blockingHandler();
  const { controller, server, log } = await serve(t, { createVolume: handler }, 50);
  const running = createVolume(controller, volume("pvc-1"));
  const { signal } = await entered;
  const started = performance.now();
  const refused = assert.rejects(running, {
    code: status.UNAVAILABLE,
    details: "Cannot finish the call: the driver is shutting down",
  });
  await Promise.all([refused, server[Symbol.asyncDispose]()]);
  assert.ok(signal.aborted);
  assert.ok(performance.now() - started < 1_000);
  assert.ok(log.records.some(({ message }) => message.startsWith("Cancelling the calls")));
});
