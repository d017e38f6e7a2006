import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import test from "node:test";
import { systemClock } from "#lib/clock.ts";
import { Secret } from "#lib/secret.ts";
import { Simulator } from "#sim/simulator.ts";
import { testContext } from "#test/fakes/context.ts";
import { ManualClock } from "#test/fakes/manual-clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { Link } from "./link.ts";
import { RetryGate } from "./retry-gate.ts";

const identity = "/system/identity/print";
const ctx = testContext();

function endpointOf(simulator: Simulator, overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    name: "rds1",
    address: "127.0.0.1",
    port: simulator.port,
    user: "csi",
    privateKey: new Secret(simulator.clientKey?.privateKey ?? ""),
    hostKey: simulator.hostKeys[0]?.fingerprint ?? "",
    connectTimeoutMs: 2_000,
    commandTimeoutMs: 2_000,
    ...overrides,
  };
}

function linkTo(endpoint: Endpoint, clock = new ManualClock()): Link {
  return new Link(endpoint, new RetryGate(clock, () => 0.5));
}

test("Link.exec() connects at first use, and once for all commands", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator));
  assert.equal(simulator.openConnections, 0);
  assert.equal(link.generation, undefined);
  for (let index = 0; index < 3; index += 1)
    assert.match((await link.exec(identity, ctx)).stdout, /name: RDS2216/);
  assert.equal(simulator.statistics.connections, 1);
  assert.equal(link.generation, 1);
});

test("Link.exec() reads both streams and the exit status, where there is one", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator));
  const results = [];
  for (const [stream, status] of [
    ["stdout", "1"],
    ["stderr", "0"],
    ["stdout", "absent"],
  ] as const) {
    simulator.switches.set("error-stream", stream);
    simulator.switches.set("exit-status", status);
    results.push(await link.exec("/no/such/menu", ctx));
  }
  const text = "bad command name no (line 1 column 2)";
  assert.deepEqual(
    results.map(({ stdout, stderr, exitStatus }) => [stdout.trim(), stderr.trim(), exitStatus]),
    [
      [text, "", 1],
      ["", text, 0],
      [text, "", undefined],
    ],
  );
});

test("Link.exec() takes RSA host keys", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["rsa"] });
  await using link = linkTo(endpointOf(simulator));
  assert.match((await link.exec(identity, ctx)).stdout, /RDS2216/);
});

test("Link.exec() refuses a host with another key, naming both", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const expected = simulator.hostKeys[0]?.fingerprint;
  await using link = linkTo(endpointOf(simulator));
  await link.exec(identity, ctx);
  await simulator.changeHostKey();
  await systemClock.sleep(20, ctx.signal);
  simulator.statistics.reset();
  await assert.rejects(link.exec(identity, ctx), {
    kind: "failed-precondition",
    message: `Cannot connect to appliance "rds1" at 127.0.0.1 port ${simulator.port}: its host key is "${simulator.hostKeys[0]?.fingerprint}", expected "${expected}"`,
  });
  assert.equal(simulator.statistics.connections, 0, "the user's key was offered to a stranger");
});

test("Link.exec() says that the key is not accepted", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  simulator.rejectAuthentication(true);
  await using link = linkTo(endpointOf(simulator));
  await assert.rejects(link.exec(identity, ctx), {
    kind: "permission-denied",
    message: /does not accept the key of user "csi"$/,
  });
});

test("Link.exec() says that the private key cannot be used, without showing it", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const privateKey = new Secret("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----");
  await using link = linkTo(endpointOf(simulator, { privateKey }));
  const error = await link.exec(identity, ctx).catch((reason) => reason);
  assert.equal(error.kind, "failed-precondition");
  assert.match(error.message, /^Cannot use the private key of user "csi": /);
  assert.doesNotMatch(error.message, /hunter2/);
});

test("Link.exec() answers by the last failure while it is too early to try again", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const clock = new ManualClock();
  await using link = linkTo(endpointOf(simulator), clock);
  await simulator.down();
  const refused = { kind: "unavailable", message: /connection refused$/ };
  await assert.rejects(link.exec(identity, ctx), refused);
  await simulator.up();
  await assert.rejects(link.exec(identity, ctx), {
    kind: "unavailable",
    message: /connection refused \(next attempt within 1 s\)$/,
  });
  clock.advance(500);
  assert.match((await link.exec(identity, ctx)).stdout, /RDS2216/);
});

test("Link.exec() gives up on a host that accepts and says nothing, a half-open connection (pitfall 20)", async () => {
  const silent = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const address = silent.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await using link = linkTo(endpointOf(simulator, { port, connectTimeoutMs: 100 }));
  await assert.rejects(link.exec(identity, ctx), {
    kind: "unavailable",
    message: /no answer within 0.1 s$/,
  });
  silent.close();
});

test("Link.exec() connects again after the connection broke", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator));
  await link.exec(identity, ctx);
  simulator.dropConnections();
  await systemClock.sleep(20, ctx.signal);
  assert.equal(link.generation, undefined);
  await link.exec(identity, ctx);
  assert.equal(link.generation, 2);
});

test("Link.exec() gives up the connection with a command that is not answered in time (pitfall 20)", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator, { commandTimeoutMs: 100 }));
  simulator.faults.add({ match: /identity/, at: "before", action: "hang" });
  await assert.rejects(link.exec(identity, ctx), {
    kind: "unknown-outcome",
    message: 'Cannot run a command on appliance "rds1": no answer within 0.1 s',
  });
  assert.equal(link.generation, undefined);
  assert.match((await link.exec(identity, ctx)).stdout, /RDS2216/);
});

test("Link.exec() resets the connection of a command that it gives up, so that nothing of it arrives later", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const { promise: ending, resolve: ended } = Promise.withResolvers<string>();
  const relay = createServer((client) => {
    const onward = connect(simulator.port, "127.0.0.1");
    client.pipe(onward).on("error", () => {});
    onward.pipe(client).on("error", ({ message }) => ended(message));
    client.on("end", () => ended("closed in good order"));
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const { port } = relay.address() as AddressInfo;
  await using link = linkTo(endpointOf(simulator, { port, commandTimeoutMs: 100 }));
  simulator.faults.add({ match: /identity/, at: "before", action: "hang" });
  await assert.rejects(link.exec(identity, ctx), { kind: "unknown-outcome" });
  assert.equal(await ending, "read ECONNRESET");
  relay.close();
});

test("Link.exec() gives up the connection when the caller of a running command leaves", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator));
  await link.exec(identity, ctx);
  simulator.faults.add({ match: /identity/, at: "before", action: "hang" });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(link.exec(identity, testContext({ signal })), {
    kind: "unknown-outcome",
    message: /the call ended before RouterOS answered$/,
  });
  assert.equal(link.generation, undefined);
});

test("Link.exec() tells a refused channel, on which nothing ran, from a lost one", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  simulator.switches.set("second-channel", "refuse");
  await using link = linkTo(endpointOf(simulator));
  await link.exec(identity, ctx);
  simulator.faults.add({ match: /identity/, at: "before", action: "hang" });
  const hanging = link.exec(identity, testContext({ signal: AbortSignal.timeout(300) }));
  await systemClock.sleep(50, ctx.signal);
  await assert.rejects(link.exec(identity, ctx), { kind: "unavailable" });
  await assert.rejects(hanging, { kind: "unknown-outcome" });
});

test("Link.exec() reads a reply of several megabytes", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  await using link = linkTo(endpointOf(simulator));
  const line =
    ':local s "0123456789abcdef"; :for i from=1 to=16 do={ :set s ($s . $s) }; :put [:len $s]; :put $s';
  const { stdout } = await link.exec(line, ctx);
  assert.equal(stdout.trim().length, "1048576\r\n".length + 2 ** 20);
});

test("Link can be disposed while it connects, and while a command runs", async () => {
  await using simulator = await Simulator.start({ hostKeyTypes: ["ed25519"] });
  const link = linkTo(endpointOf(simulator));
  const connecting = assert.rejects(link.exec(identity, ctx));
  await link[Symbol.asyncDispose]();
  await connecting;
  const other = linkTo(endpointOf(simulator));
  await other.exec(identity, ctx);
  simulator.faults.add({ match: /identity/, at: "before", action: "hang" });
  const running = assert.rejects(other.exec(identity, ctx), { kind: "unknown-outcome" });
  await systemClock.sleep(20, ctx.signal);
  await other[Symbol.asyncDispose]();
  await running;
});
