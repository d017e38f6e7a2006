import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { btrfsMount } from "#sim/appliance/testing/btrfs-mount.ts";
import { Simulator } from "#sim/simulator.ts";
import { applianceConfig, DriverProcess } from "#test/rig/driver-process.ts";
import { unmountBelow } from "#test/rig/loop-disk.ts";
import { type Configuration, configurations } from "./configurations.ts";
import { installSanity, runSanity, type SanityResult } from "./sanity.ts";

/*
 * `make conformance`: the CSI community's own suite against controller and node, each a process behind a
 * Unix socket, on simulated appliances over real SSH and real loop devices.
 */
const project = join(import.meta.dirname, "../..");
const nodeId = "node-a";

/** Specs may be skipped only for what the driver does not advertise, or where csi-test itself switched them off. */
const notAdvertised = [
  /GroupController|VolumeGroup/,
  /modify ?volume/i,
  /health/i,
  /SNAPSHOT_ACCESSIBILITY_CONSTRAINTS/,
  /readonly field not supported/,
  // Kubernetes' scheduler keeps the limit that NodeGetInfo tells; csi-sanity asks by its own flag.
  /testnodevolumeattachlimit not enabled/,
  /pending/,
];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Snapshots and clones take real subvolumes. */
async function poolOn(directory: string) {
  const pool = await btrfsMount(directory, 16 * 2 ** 30);
  if (pool !== undefined) return pool;
  throw new Error(
    "Cannot make the pool of an appliance: mkfs.btrfs (Debian: btrfs-progs) and loop devices are needed",
  );
}

async function run(binary: string, configuration: Configuration): Promise<SanityResult> {
  const folder = mkdtempSync(join(tmpdir(), "rds-csi-conformance-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  const appliances: Record<string, unknown> = {};
  for (const [name, options] of Object.entries(configuration.appliances)) {
    // One export folder for all: the node sees one fabric, whichever appliance exports.
    const stateDirectory = join(folder, name);
    mkdirSync(stateDirectory);
    const pool = stack.use(await poolOn(stateDirectory));
    const dataDirectory = pool.path;
    const simulator = stack.use(
      await Simulator.start({ ...options, stateDirectory, dataDirectory, backEnd: "files" }),
    );
    appliances[name] = applianceConfig(simulator);
  }
  const last = Object.keys(appliances).at(-1) ?? "";
  const controller = stack.use(
    new DriverProcess({
      role: "controller",
      folder,
      config: {
        clusterId: "conformance",
        appliances,
        defaultAppliance: Object.keys(appliances)[0],
        nodes: [nodeId],
        kubernetes: "off",
        logLevel: "debug",
      },
    }),
  );
  const node = stack.use(
    new DriverProcess({
      role: "node",
      folder,
      config: {
        nodeId,
        logLevel: "debug",
        node: {
          stateDirectory: join(folder, "state"),
          initiator: { type: "loop", exportsDirectory: join(folder, last, "exports") },
        },
      },
    }),
  );
  await Promise.all([controller.listening(), node.listening()]);
  const log = join(folder, "sanity.log");
  const result = await runSanity(binary, flags(folder, configuration), (text) =>
    appendFileSync(log, text),
  );
  if (result.failed > 0 || result.exitCode !== 0) say(readFileSync(log, "utf8"));
  return result;
}

function flags(
  folder: string,
  { accessType, parameters = {}, volumeBytes, expandedBytes }: Configuration,
) {
  const parametersFile = join(folder, "parameters.yaml");
  writeFileSync(parametersFile, JSON.stringify(parameters));
  return {
    "csi.endpoint": `unix://${join(folder, "node.sock")}`,
    "csi.controllerendpoint": `unix://${join(folder, "controller.sock")}`,
    "csi.stagingdir": join(folder, "staging"),
    "csi.mountdir": join(folder, "target"),
    "csi.testvolumeaccesstype": accessType,
    "csi.testvolumeparameters": parametersFile,
    "csi.testvolumesize": String(volumeBytes),
    "csi.testvolumeexpandsize": String(expandedBytes),
    "csi.junitfile": join(folder, "junit.xml"),
    "ginkgo.no-color": "true",
  };
}

if (process.getuid?.() !== 0) {
  say("Cannot run csi-sanity: it mounts file systems on loop devices, which needs root");
  process.exit(1);
}
const cache = join(project, "node_modules/.cache");
mkdirSync(cache, { recursive: true });
const binary = installSanity(cache);
const wanted = process.argv.slice(2);
let bad = 0;
let failures = 0;
let total = 0;
for (const configuration of configurations.filter(
  ({ name }) => wanted.length === 0 || wanted.includes(name),
)) {
  const started = Date.now();
  const { passed, failed, skipped, exitCode } = await run(binary, configuration);
  const unexplained = skipped.filter(
    ({ name, reason }) => !notAdvertised.some((known) => known.test(`${name} ${reason}`)),
  );
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  say(
    `${configuration.name.padEnd(20)} ${passed} passed, ${failed} failed, ${skipped.length} skipped (not advertised), ${seconds} s`,
  );
  for (const { name, reason } of unexplained) say(`  skipped without need: ${name}: ${reason}`);
  total += passed;
  failures += failed;
  if (failed > 0 || exitCode !== 0 || unexplained.length > 0 || passed === 0) bad += 1;
}
say(`${total} passed, ${failures} failed`);
process.exitCode = bad === 0 && total > 0 ? 0 : 1;
