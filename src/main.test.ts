import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { credentials, status } from "@grpc/grpc-js";
import { ControllerClient, IdentityClient, NodeClient } from "#csi/gen/csi.ts";
import { createVolumeRequest } from "#test/fakes/csi-requests.ts";
import { applianceConfig, DriverProcess } from "#test/rig/driver-process.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";

const project = join(import.meta.dirname, "..");

/** The bundle, made once, as the image ships it. */
const bundled = () => {
  const made = spawnSync(process.execPath, [join(project, "scripts/bundle.ts")], { cwd: project });
  assert.equal(made.status, 0, String(made.stderr));
  return join(project, "dist/rds-csi.cjs");
};

type Answer<T> = (error: Error | null, response: T) => void;
const answered = <T>(call: (answer: Answer<T>) => unknown): Promise<T> =>
  new Promise((resolve, reject) =>
    call((error, response) => (error === null ? resolve(response) : reject(error))),
  );

function linesOf({ logFile }: DriverProcess): Record<string, unknown>[] {
  const lines = readFileSync(logFile, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function isReady(t: TestContext, { socket }: DriverProcess): Promise<boolean | undefined> {
  const client = new IdentityClient(`unix://${socket}`, credentials.createInsecure());
  t.after(() => client.close());
  return (await answered<{ ready: boolean | undefined }>((done) => client.probe({}, done))).ready;
}

test("rds-csi controller starts and stays while the appliance is away, and ends in order (pitfall 25)", async (t) => {
  using folder = temporaryFolder();
  await using rds = await SimulatedAppliance.start({ stateDirectory: folder.path });
  const appliances = { rds1: applianceConfig(rds.simulator) };
  await rds.simulator.down();
  await using controller = new DriverProcess({
    role: "controller",
    folder: folder.path,
    config: { clusterId: "prod", kubernetes: "off", nodes: ["worker-1"], appliances },
  });
  await controller.listening();
  assert.equal(await isReady(t, controller), false);
  const client = new ControllerClient(`unix://${controller.socket}`, credentials.createInsecure());
  t.after(() => client.close());
  await assert.rejects(
    answered((done) => client.createVolume(createVolumeRequest(), done)),
    {
      code: status.UNAVAILABLE,
      details: /^Cannot connect to appliance "rds1" .*: connection refused/,
    },
  );
  assert.equal(await controller.stop(), 0);
  assert.equal(existsSync(controller.socket), false);
  const messages = linesOf(controller).map(({ message }) => message);
  assert.deepEqual(messages.slice(0, 2), ["Starting", "Serving CSI"]);
  assert.equal(messages.at(-1), "Stopping");
});

test("rds-csi controller becomes ready when the appliance answers", async (t) => {
  using folder = temporaryFolder();
  await using rds = await SimulatedAppliance.start({ stateDirectory: folder.path });
  await using controller = new DriverProcess({
    role: "controller",
    folder: folder.path,
    config: { clusterId: "prod", appliances: { rds1: applianceConfig(rds.simulator) } },
  });
  await controller.listening();
  assert.equal(await isReady(t, controller), true);
});

test("rds-csi ends with 2 for a configuration it cannot use, and prints no stack", () => {
  const ended = spawnSync(
    process.execPath,
    [join(project, "src/main.ts"), "controller", "--config", "/nonexistent"],
    { encoding: "utf8" },
  );
  assert.equal(ended.status, 2);
  assert.equal(
    ended.stderr,
    "Cannot use the configuration:\n  /nonexistent: cannot be read (no such file)\n",
  );
});

test("the bundle serves controller and node, checks an appliance and simulates one", async (t) => {
  using folder = temporaryFolder();
  const file = bundled();
  await using rds = await SimulatedAppliance.start({ stateDirectory: folder.path });
  const config = { clusterId: "prod", appliances: { rds1: applianceConfig(rds.simulator) } };
  const common = { folder: folder.path, command: [process.execPath, file] };
  await using controller = new DriverProcess({ ...common, role: "controller", config });
  const initiator = { type: "loop", exportsDirectory: folder.path };
  const nodeConfig = { nodeId: "worker-1", node: { stateDirectory: folder.path, initiator } };
  await using node = new DriverProcess({ ...common, role: "node", config: nodeConfig });
  await Promise.all([controller.listening(), node.listening()]);
  assert.equal(await isReady(t, controller), true);
  assert.equal(await isReady(t, node), true);
  const client = new NodeClient(`unix://${node.socket}`, credentials.createInsecure());
  t.after(() => client.close());
  const info = await answered<{ nodeId: string }>((done) => client.nodeGetInfo({}, done));
  assert.equal(info.nodeId, "worker-1");
  const said = async (...args: readonly string[]) =>
    (await promisify(execFile)(process.execPath, [file, ...args])).stdout;
  const checked = await said("check", "--config", join(folder.path, "controller.json"));
  assert.match(checked, /All is well/);
  assert.match(await said("simulator", "--help"), /^Usage: rds-csi simulator/);
  assert.match(await said("--version"), /^rds-csi \d/);
});
