import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2 from "ssh2";
import type { SimulatorOptions } from "#sim/options.ts";
import { Simulator } from "#sim/simulator.ts";
import { generateKeyPair } from "./key-pair.ts";
import { TestClient } from "./testing/ssh-client.ts";

/** Without the RSA key, which takes a while to make. */
const start = (options: SimulatorOptions = {}) =>
  Simulator.start({ hostKeyTypes: ["ed25519"], ...options });

test("a second channel waits, is refused, or runs, by its switch", async () => {
  await using simulator = await start({ switches: { latency: 150 } });
  using client = await TestClient.connect(simulator);
  const both = async () => {
    const began = performance.now();
    const results = await Promise.allSettled([client.exec(":put 1"), client.exec(":put 2")]);
    return { results, took: performance.now() - began };
  };
  const blocked = await both();
  assert.ok(blocked.took >= 295, `one after the other, took ${blocked.took} ms`);
  simulator.switches.set("second-channel", "refuse");
  const refused = (await both()).results.map(({ status }) => status);
  assert.deepEqual(refused, ["fulfilled", "rejected"]);
  for (let turn = 0; turn < 3; turn += 1)
    assert.equal(await client.print(":put 1"), "1", "one after the other goes on");
  simulator.switches.set("second-channel", "allow");
  const allowed = await both();
  assert.ok(allowed.took < 295, `side by side, took ${allowed.took} ms`);
});

test("connections beyond max-sessions are closed at once", async () => {
  await using simulator = await start({ switches: { "max-sessions": 1 } });
  using client = await TestClient.connect(simulator);
  const extra = connect(simulator.port);
  await once(extra, "close");
  assert.equal(extra.bytesRead, 0);
  assert.equal(await client.print(":put 1"), "1");
  assert.equal(simulator.openConnections, 1);
});

test("keep-alive requests are not answered, unless switched", async () => {
  await using simulator = await start();
  const keepalive = { keepaliveInterval: 20, keepaliveCountMax: 2 };
  using client = await TestClient.connect(simulator, keepalive);
  const lost = await Promise.race([once(client.ssh, "error"), sleep(2000, ["alive"])]);
  assert.match(String(lost[0]), /Keepalive timeout/);
  simulator.switches.set("keepalive", "answered");
  using answered = await TestClient.connect(simulator, keepalive);
  const outcome = await Promise.race([once(answered.ssh, "error"), sleep(150, ["alive"])]);
  assert.equal(outcome[0], "alive");
});

test("only known keys of users with the policy ssh log in", async () => {
  const stranger = generateKeyPair("ed25519", "stranger");
  const rsa = generateKeyPair("rsa", "old");
  await using simulator = await start({
    users: [
      { name: "csi", policies: ["ssh", "read"], publicKeys: [] },
      { name: "old", policies: ["ssh", "read"], publicKeys: [rsa.public] },
      { name: "api", policies: ["read", "write"], publicKeys: [] },
    ],
  });
  const login = (options: ssh2.ConnectConfig) => TestClient.connect(simulator, options);
  const refused = /All configured authentication methods failed/;
  await assert.rejects(login({ privateKey: stranger.private }), refused);
  await assert.rejects(login({ username: "nobody" }), refused);
  await assert.rejects(login({ username: "api" }), refused);
  await assert.rejects(login({ password: "secret", authHandler: ["password"] }), refused);
  using old = await login({ username: "old", privateKey: rsa.private });
  assert.equal(
    (await old.exec("/disk/remove storage-pool")).stdout,
    "not enough permissions (9)\r\n",
  );
  using plain = await login({ username: "csi+ct80w" });
  assert.equal(await plain.print(":put 1"), "1");
  simulator.rejectAuthentication(true);
  await assert.rejects(login({}), refused);
  simulator.rejectAuthentication(false);
  using again = await login({});
  assert.equal(await again.print(":put 1"), "1");
});

test("an ECDSA key is refused as on a device", async () => {
  const { public: key } = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
  const users = [{ name: "csi", policies: ["ssh" as const], publicKeys: [key] }];
  await assert.rejects(start({ users }), /unable to load key file/);
});

test("there is no terminal and no shell, and a command may not begin with a dash", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const withTerminal = new Promise((resolve) => {
    client.ssh.exec(":put 1", { pty: true }, (error) => resolve(error?.message));
  });
  assert.match(String(await withTerminal), /Unable to request a pseudo-terminal/);
  const text = await new Promise((resolve, reject) => {
    client.ssh.shell(false, (error, channel) => {
      if (error) return reject(error);
      return channel.on("data", (data: Buffer) => resolve(data.toString()));
    });
  });
  assert.match(String(text), /single commands/);
  await assert.rejects(client.exec("-v"), /Unable to exec/);
  assert.equal(await client.print(":put 1"), "1");
});

test("changeHostKey() gives the appliance another identity", async () => {
  await using simulator = await start();
  const [before] = simulator.hostKeys;
  await simulator.changeHostKey();
  const [after] = simulator.hostKeys;
  assert.notEqual(before?.fingerprint, after?.fingerprint);
  const seen: string[] = [];
  const hostVerifier = (hash: string) => seen.push(hash) > 0;
  using _client = await TestClient.connect(simulator, { hostHash: "sha256", hostVerifier });
  const digest = Buffer.from(seen[0] ?? "", "hex")
    .toString("base64")
    .replace(/=+$/, "");
  assert.equal(after?.fingerprint, `SHA256:${digest}`);
});
