import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { temporaryDirectory } from "#sim/appliance/testing/temporary-directory.ts";
import { TestClient } from "#sim/ssh/testing/ssh-client.ts";
import { simulatorGreeting } from "./greeting.ts";
import type { SimulatorOptions } from "./options.ts";
import { Simulator } from "./simulator.ts";

/** Without the RSA key, which takes a while to make. */
const start = (options: SimulatorOptions = {}) =>
  Simulator.start({ hostKeyTypes: ["ed25519"], ...options });

const add = "/disk/add type=file slot=a file-path=/storage-pool/a.img file-size=1G";

/** As the driver sends it: a nonce tells a finished line from a broken one. */
const guarded = (body: string, nonce = "n1") =>
  `:onerror e in={ ${body}; :put "${nonce}:ok" } do={ :put ("${nonce}:err:" . $e) }`;

test("a line over SSH prints with CRLF, and prints end with an empty line", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const identity = await client.exec("/system/identity/print");
  assert.deepEqual(identity, { stdout: "  name: RDS2216\r\n\r\n", stderr: "", exitStatus: 0 });
  const silent = await client.exec(add);
  assert.deepEqual(silent, { stdout: "", stderr: "", exitStatus: 0 });
});

test("a driver's line creates a volume and reads it back in one round trip", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  await client.print("/file/add name=storage-pool/csi type=directory");
  const create =
    '/disk/btrfs/subvolume/add fs="storage-pool-fs" name="csi/pvc-a"; ' +
    '/disk/add type=file slot="pvc-a" file-path="/storage-pool/csi/pvc-a/disk.img" file-size="1048576" ' +
    'mount-filesystem=no nvme-tcp-export=no comment="rds-csi=1 cluster=c1 rev=1"; ' +
    ":put [:serialize to=json options=json.no-string-conversion [/disk/print detail as-value " +
    'proplist=.id,slot,size,file-path,comment where slot="pvc-a"]]';
  const [json = "", verdict] = (await client.print(guarded(create))).split("\r\n");
  assert.equal(verdict, "n1:ok");
  const [disk] = JSON.parse(json);
  assert.deepEqual(
    { ...disk, ".id": "*" },
    {
      ".id": "*",
      slot: "pvc-a",
      size: 2 ** 20,
      "file-path": "/storage-pool/csi/pvc-a/disk.img",
      comment: "rds-csi=1 cluster=c1 rev=1",
    },
  );
  const attach =
    '/disk/set [find slot="pvc-a" comment~"rev=1"] nvme-tcp-server-nqn="nqn.2000-02.com.mikrotik:pvc-a.1" ' +
    'nvme-tcp-server-port=4420 nvme-tcp-export=yes comment="rds-csi=1 cluster=c1 rev=2"';
  assert.equal(await client.print(guarded(attach)), "n1:ok");
  assert.equal(await client.print(guarded(attach)), "n1:ok", "matches nothing the second time");
  const nqn = await client.print(":put [/disk/get pvc-a nvme-tcp-server-nqn]");
  assert.equal(nqn, "nqn.2000-02.com.mikrotik:pvc-a.1");
});

test("a run-time error keeps the effects before it, a parse error prevents all", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const failing = await client.print(guarded(`${add}; ${add.replace("a.img", "b.img")}`));
  assert.equal(failing, "n1:err:failure: already have such entry");
  assert.equal(await client.print(":put [:len [/disk/find slot=a]]"), "1");
  const refused = await client.exec(guarded("/disk/remove a; /disk/set pool nonsense=1"));
  assert.match(refused.stdout, /^bad parameter nonsense \(line 1 column \d+\)\r\n$/);
  assert.equal(await client.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("the exit status and the stream of errors follow their switches", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const line = "/disk/set nobody comment=x";
  const text = "no such item\r\n";
  assert.deepEqual(await client.exec(line), { stdout: text, stderr: "", exitStatus: 1 });
  simulator.switches.set("exit-status", "0");
  simulator.switches.set("error-stream", "stderr");
  assert.deepEqual(await client.exec(line), { stdout: "", stderr: text, exitStatus: 0 });
  simulator.switches.set("exit-status", "absent");
  assert.equal((await client.exec(line)).exitStatus, undefined);
  assert.equal((await client.exec(":put 1")).exitStatus, undefined);
});

test("the output width follows its switch", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const longest = async () =>
    Math.max(
      ...(await client.print("/disk/print detail"))
        .split("\r\n")
        .map((line) => line.trimEnd().length),
    );
  assert.ok((await longest()) <= 80);
  simulator.switches.set("output-width", 200);
  const wide = await longest();
  assert.ok(wide > 80 && wide <= 200);
});

test("JSON makes numbers of numeric strings, unless told not to or switched", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const line = ':put [:serialize to=json {"7.1"}]';
  assert.equal(await client.print(line), "[7.100000]");
  const kept = line.replace("to=json", "to=json options=json.no-string-conversion");
  assert.equal(await client.print(kept), '["7.1"]');
  simulator.switches.set("json-strings", "keep");
  assert.equal(await client.print(line), '["7.1"]');
});

test("a fault before, during or after a line leaves nothing, a part, or all of its effects", async () => {
  await using simulator = await start();
  const slots = async () => {
    using client = await TestClient.connect(simulator);
    return await client.print(":put [:len [/disk/find type=file]]");
  };
  const cut = async (at: "before" | "during" | "after") => {
    using client = await TestClient.connect(simulator);
    simulator.faults.add({ match: /add type=file/, at, action: "cut" });
    await assert.rejects(client.exec(guarded(`${add}; ${add.replaceAll(/\ba\b/g, "b")}`)));
    const found = await slots();
    await client.closed();
    using other = await TestClient.connect(simulator);
    await other.print("/disk/remove [find type=file]");
    return found;
  };
  assert.equal(await cut("before"), "0");
  assert.equal(await cut("during"), "1");
  assert.equal(await cut("after"), "2");
});

test("a fault can answer with stray text, half an answer, or a failure, so many times", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  const { faults } = simulator;
  const garbage = faults.add({ match: /:put/, at: "after", action: "garbage", times: 2 });
  for (let turn = 0; turn < 2; turn += 1)
    assert.match(await client.print(":put 1"), /^\d\d-\d\d .*via ssh\r\n1$/);
  assert.equal(await client.print(":put 1"), "1");
  assert.equal(garbage.struck, 2);
  faults.add({ match: /:put/, at: "after", action: "truncate" });
  assert.equal((await client.exec(":put 123456")).stdout, "1234");
  faults.add({ match: /set/, at: "before", action: "error", text: "interrupted" });
  const failed = await client.exec("/system/identity/set name=x");
  assert.deepEqual(failed, { stdout: "interrupted\r\n", stderr: "", exitStatus: 1 });
  assert.equal(await client.print(":put [/system/identity/get name]"), "RDS2216");
  faults.add({ match: /add/, at: "during", action: "error", text: "action failed (6)" });
  const caught = await client.print(guarded(`${add}; /disk/set a comment=x`));
  assert.equal(caught, "n1:err:action failed (6)");
  const armed = faults.add({ match: /:put/, at: "before", action: "cut" });
  armed.remove();
  assert.equal(await client.print(":put 2"), "2");
});

test("a hang answers nothing, and the connection goes on for others", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  simulator.faults.add({ match: /add/, at: "after", action: "hang" });
  const hung = client.exec(add).then(
    () => "answered",
    () => "lost",
  );
  assert.equal(await Promise.race([hung, sleep(50, "waiting")]), "waiting");
  using other = await TestClient.connect(simulator);
  assert.equal(await other.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("a line whose client went away has its effect all the same", async () => {
  await using simulator = await start({ switches: { "add-latency": 300 } });
  const client = await TestClient.connect(simulator);
  const lost = client.exec(add).catch(() => "lost");
  await sleep(20);
  client[Symbol.dispose]();
  assert.equal(await lost, "lost");
  using other = await TestClient.connect(simulator);
  assert.equal(await other.print(":put [:len [/disk/find slot=a]]"), "0", "not yet");
  await sleep(350);
  assert.equal(await other.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("down() breaks connections and refuses new ones, up() is back on the same port", async () => {
  await using simulator = await start();
  const { port } = simulator;
  using client = await TestClient.connect(simulator);
  await client.print(add);
  await simulator.down();
  await client.closed();
  await assert.rejects(TestClient.connect(simulator), { code: "ECONNREFUSED" });
  await simulator.up();
  assert.equal(simulator.port, port);
  using again = await TestClient.connect(simulator);
  assert.equal(await again.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("reboot() keeps the disks and starts the uptime anew", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  await client.print(add);
  const bootedAt = simulator.appliance.bootedAt;
  await sleep(2);
  await simulator.reboot();
  await client.closed();
  assert.ok(simulator.appliance.bootedAt > bootedAt);
  using again = await TestClient.connect(simulator);
  assert.equal(await again.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("a simulator with a state directory comes back with its keys, disks and exports", async () => {
  await using directory = await temporaryDirectory();
  const options = { stateDirectory: directory.path, backEnd: "files" as const };
  const lines = [`${add} nvme-tcp-export=yes`, "/system/identity/set name=kept"];
  const first = await start(options);
  const { fingerprint } = first.hostKeys[0] ?? {};
  {
    using client = await TestClient.connect(first);
    for (const line of lines) await client.print(line);
    first.faults.add({ match: /slot=c/, at: "after", action: "cut" });
    await assert.rejects(client.exec(add.replaceAll(/\ba\b/g, "c")));
  }
  // Not disposed: what was answered, or cut off after its effect, is saved already.
  await first.down();

  await using second = await start(options);
  assert.equal(second.hostKeys[0]?.fingerprint, fingerprint);
  using client = await TestClient.connect(second);
  assert.equal(await client.print(":put [/system/identity/get name]"), "kept");
  assert.equal(await client.print(":put [:len [/disk/find type=file]]"), "2");
  assert.deepEqual(await readdir(join(directory.path, "exports")), ["a"]);
});

test("a simulator that is disposed of finishes what it began, and saves it", async () => {
  await using directory = await temporaryDirectory();
  const options = { stateDirectory: directory.path, switches: { "add-latency": 60_000 } };
  const first = await start(options);
  using client = await TestClient.connect(first);
  const lost = client.exec(add).catch(() => "lost");
  await sleep(20);
  await first[Symbol.asyncDispose]();
  assert.equal(await lost, "lost");
  await using second = await start(options);
  using other = await TestClient.connect(second);
  assert.equal(await other.print(":put [:len [/disk/find slot=a]]"), "1");
});

test("statistics count logins and lines", async () => {
  await using simulator = await start();
  using client = await TestClient.connect(simulator);
  await client.print(":put 1");
  await client.print(":put 2");
  const { statistics } = simulator;
  assert.deepEqual([statistics.connections, statistics.commands], [1, 2]);
  assert.deepEqual(statistics.lines, [":put 1", ":put 2"]);
  statistics.reset();
  assert.deepEqual([statistics.connections, statistics.lines.length], [0, 0]);
});

test("the OpenSSH client works as the greeting says, fingerprint included", async (context) => {
  const run = promisify(execFile);
  const version = await run("ssh", ["-V"]).catch(() => undefined);
  if (version === undefined) return context.skip("needs the OpenSSH client");
  await using directory = await temporaryDirectory();
  await using simulator = await Simulator.start({ stateDirectory: directory.path });
  const greeting = simulatorGreeting(simulator);
  const { file = "" } = simulator.clientKey ?? {};
  assert.match(
    greeting,
    new RegExp(`ssh -p ${simulator.port} -i ${file} csi@127.0.0.1 '/disk print'`),
  );
  for (const { fingerprint, publicKey, type } of simulator.hostKeys) {
    assert.ok(greeting.includes(fingerprint));
    await mkdir(join(directory.path, type));
    const path = join(directory.path, type, "host.pub");
    await writeFile(path, `${publicKey}\n`);
    assert.ok((await run("ssh-keygen", ["-lf", path])).stdout.includes(fingerprint));
    const knownHosts = join(directory.path, type, "known_hosts");
    await writeFile(knownHosts, `[127.0.0.1]:${simulator.port} ${publicKey}\n`);
    const options = ["-F", "none", "-o", `UserKnownHostsFile=${knownHosts}`, "-o", "BatchMode=yes"];
    const target = ["-p", String(simulator.port), "-i", file, "csi@127.0.0.1"];
    const { stdout } = await run("ssh", [...options, ...target, "/system identity print"]);
    assert.equal(stdout, "  name: RDS2216\r\n\r\n");
  }
});

test("a simulator without users of its own prints the private key that nobody keeps", async () => {
  await using simulator = await start();
  assert.match(simulatorGreeting(simulator), /BEGIN OPENSSH PRIVATE KEY/);
});

test("a port that is taken, or an option that does not fit, fails the start", async () => {
  await using simulator = await start();
  await assert.rejects(start({ port: simulator.port }), { code: "EADDRINUSE" });
  await assert.rejects(start({ backEnd: "files" }), /needs a state directory/);
  await assert.rejects(start({ hostKeys: ["nonsense"] }), /Cannot read host key/);
});
