import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Cluster } from "../rig/cluster.ts";
import { driverCommand } from "../rig/programs.ts";
import { retry } from "../rig/retry.ts";
import { clusterWith } from "../rig/scenario.ts";
import { sh } from "../rig/world.ts";
import { assertRecords, Writer } from "../rig/writer.ts";

const scenario = clusterWith();
const [node = "", ...driver] = driverCommand;

/** The appliance as a process of its own, with the state and on the port of the cluster's. */
async function startSimulator({ simulator: { options, port } }: Cluster): Promise<ChildProcess> {
  const { stateDirectory = "", dataDirectory = "", dataAddress } = options;
  const child = spawn(
    node,
    [
      ...[...driver, "simulator", "--back-end", "nvmet", "--port", `${port}`],
      ...["--state", stateDirectory, "--data", dataDirectory, "--data-address", dataAddress],
      ...["--pool", "storage-pool=3G,raid=none", "--switch", "namespace-identity=stable"],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [greeting] = await once(child.stdout ?? child, "data");
  assert.match(String(greeting), /^Simulated RouterOS/);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Of all volumes, past the cluster's own appliance, which does not know any. */
function onlyImage(): string {
  const [image = "", ...more] = sh("find /appliance -name '*.img'").trim().split("\n");
  assert.deepEqual(more, []);
  return image;
}

scenario(
  "data goes on while the appliance's console is killed and taken over, and the controller is",
  async (cluster) => {
    const { controller, simulator } = cluster;
    await simulator[Symbol.asyncDispose]();
    const killed = await startSimulator(cluster);
    const volume = await retry("creating", () => controller.create({ content: "ext4" }));
    const { path, nqn, context } = await cluster.bringUp(volume);
    using writer = new Writer(`${path}/records`);
    await writer.progress();

    await kill(killed);
    await writer.progress();
    assert.deepEqual(cluster.exports(), [nqn], "the kernel's target goes on by itself");
    await assert.rejects(controller.expand(volume, 96), { code: 14, details: /"rds"/ });

    const simulated = await startSimulator(cluster);
    assert.deepEqual(cluster.exports(), [nqn], "taken over, as its state says");
    await writer.progress();

    await controller.kill();
    await controller.start();
    assert.deepEqual(
      await controller.publish(volume, "node-a"),
      context,
      "the attachment is known",
    );
    const report = await writer.stop();
    assert.equal(report.error, undefined);
    await retry("taking it down", () => cluster.takeDown(volume));
    sh(`e2fsck -fn ${onlyImage()}`);
    const again = await cluster.bringUp(volume);
    assertRecords(`${again.path}/records`, report);
    await cluster.takeDown(volume);
    await controller.delete(volume);

    cluster.assertNothingLeft();
    const ended = once(simulated, "exit");
    simulated.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(cluster.exports(), []);
    assert.equal(sh("ls /sys/kernel/config/nvmet/ports"), "", "it leaves no port behind");
  },
);
