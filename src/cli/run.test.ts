import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { testContext } from "#test/fakes/context.ts";
import { applianceConfig } from "#test/rig/driver-process.ts";
import { newVolume } from "#test/rig/new-volume.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";
import { run } from "./run.ts";

const ctx = testContext();

/** What a command said, and its exit code. */
async function told(...argv: readonly string[]) {
  const said = { out: "", err: "" };
  const code = await run(argv, {
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    signal: new AbortController().signal,
  });
  return { code, ...said };
}

test("run() prints an overview without a command, and the text of each command it lists", async () => {
  const { code, out } = await told();
  assert.equal(code, 0);
  const names = [...out.matchAll(/^ {2}(\w+) /gm)].map(([, name = ""]) => name);
  assert.deepEqual(names.slice(0, 4), ["controller", "node", "check", "simulator"]);
  assert.deepEqual(names.slice(-2), ["version", "help"]);
  assert.deepEqual(await told("--help"), { code, out, err: "" });
  for (const name of names.slice(0, -2)) {
    const { out: help } = await told("help", name);
    assert.match(help, new RegExp(`^Usage: rds-csi ${name}\\b`));
    assert.equal((await told(name, "--help")).out, help);
    const wide = help.split("\n").filter((line) => line.length > 120);
    assert.deepEqual(wide, []);
  }
});

test("run() prints the version of package.json", async () => {
  assert.match((await told("--version")).out, /^rds-csi \d+\.\d+\.\d+\n$/);
});

test("run() answers 2 and a sentence for what it cannot be asked", async () => {
  const sentences: readonly [readonly string[], RegExp][] = [
    [["contoller"], /^Cannot run "contoller": no such command\. See rds-csi help\n$/],
    [["help", "toString"], /^Cannot run "toString": no such command/],
    [["node", "--colour"], /^Cannot run "node": Unknown option '--colour'.*help node\n$/],
    [["check", "--config", "/nonexistent"], /\/nonexistent: cannot be read \(no such file\)\n$/],
    [["node", "--set", "kubernetes=maybe"], /kubernetes: expected "auto" or "off", got "maybe"/],
  ];
  for (const [argv, sentence] of sentences) {
    const { code, err, out } = await told(...argv);
    assert.match(err, sentence);
    assert.deepEqual([code, out], [2, ""]);
  }
});

test("run(check) says in plain sentences what an appliance has, and exits with 0", async () => {
  using folder = temporaryFolder();
  await using rds = await SimulatedAppliance.start({ stateDirectory: folder.path });
  const file = join(folder.path, "config.json");
  const appliances = { rds1: applianceConfig(rds.simulator) };
  writeFileSync(file, JSON.stringify({ clusterId: "prod", appliances }));
  const { code, out } = await told("check", "--config", file);
  assert.equal(
    out.replace(/RouterOS .*/, "RouterOS …"),
    `Appliance "rds1", the default
  ok       RouterOS …
  ok       Package "rose-storage" is installed and knows NVMe/TCP targets
  ok       The user may read, write and test
  ok       Pool "storage-pool" is btrfs, 1 TiB of 1 TiB free
  ok       Nodes are told to connect to 127.0.0.1 port 4420

All is well
`,
  );
  assert.equal(code, 0);
  assert.deepEqual(await rds.rows("/disk/print as-value where type=file"), []);
});

test("run(check) warns of a pool below its reserve, and exits with 1 for what does not work", async () => {
  using folder = temporaryFolder();
  await using rds = await SimulatedAppliance.start({ stateDirectory: folder.path });
  const good = applianceConfig(rds.simulator);
  const appliances = { rds1: good, rds2: { ...good, user: "nobody" } };
  const file = join(folder.path, "config.json");
  writeFileSync(file, JSON.stringify({ clusterId: "prod", appliances, defaultAppliance: "rds1" }));
  const { volumes } = rds.driver({ clusterId: "prod" });
  const volume = await volumes.create(newVolume("pvc-v", { cluster: "prod" }), ctx);
  rds.occupy(999 * 2 ** 30);
  const { code, out } = await told("check", "--config", file);
  assert.match(out, /WARNING {2}Pool "storage-pool" is btrfs, 24 GiB of 1 TiB free: that is below/);
  rds.occupy(1019 * 2 ** 30);
  const emergency = await told("check", "--config", file);
  assert.match(
    emergency.out,
    /PROBLEM {2}Pool .* 4 GiB of 1 TiB free: that is below the emergency mark of 20\.5 GiB, where the controller takes its exports off until 4% of it is free/,
  );
  await volumes.change(volume, { tag: { ...volume.tag, halted: true } }, ctx);
  const halted = await told("check", "--config", file);
  assert.match(halted.out, /PROBLEM {2}Pool .* volumes wait until 4% of it is free, 1 of them/);
  assert.match(out, /Appliance "rds2"\n {2}PROBLEM {2}Cannot connect .* key of user "nobody"/);
  assert.match(out, /\n1 problem, 1 warning\n$/);
  assert.equal(code, 1);
});

test("run(check --node) looks at this machine for what the configuration asks for", async () => {
  using folder = temporaryFolder();
  const exported = join(folder.path, "exports");
  const loop = ["--set", "node.initiator.type=loop", "--node-id", "worker-1"];
  const argv = ["check", "--node", ...loop, "--set", `node.initiator.exportsDirectory=${exported}`];
  const missing = await told(...argv);
  assert.match(missing.out, /PROBLEM {2}Cannot find the simulator's exports: .* does not exist/);
  assert.equal(missing.code, 1);
  mkdirSync(exported);
  const there = await told(...argv);
  assert.match(there.out, /ok {7}The simulator's exports are in /);
  assert.match(there.out, /ok {7}This node is "worker-1"/);
  const nvme = await told("check", "--node");
  assert.match(nvme.out, /Module nvme-tcp is /);
  assert.match(nvme.out, /PROBLEM {2}This node has no name/);
  assert.equal(nvme.code, 1);
});
