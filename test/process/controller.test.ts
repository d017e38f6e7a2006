import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { CsiClient } from "#csi/client.ts";
import { lifeOfAVolume, volumeId } from "#test/rig/controller-site.ts";
import { applianceConfig, DriverProcess } from "#test/rig/driver-process.ts";
import { SimulatedAppliance } from "#test/rig/simulated-appliance.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";

const { createVolume, controllerPublishVolume, deleteVolume } = lifeOfAVolume;

/** An appliance, and controllers that run as processes of their own, one after the other. */
async function site(t: TestContext) {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const { path: folder } = stack.use(temporaryFolder());
  const rds = stack.use(await SimulatedAppliance.start({ stateDirectory: folder }));
  const appliances = { rds1: applianceConfig(rds.simulator) };
  const config = { clusterId: "c1", kubernetes: "off", nodes: ["n1", "n2"], appliances };
  const start = async () => {
    const driver = stack.use(new DriverProcess({ role: "controller", folder, config }));
    await driver.listening();
    return { driver, client: stack.use(new CsiClient(`unix://${driver.socket}`)) };
  };
  return { rds, start };
}

async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    if (await reached()) return;
    await delay(20);
  }
  throw new Error(`Cannot go on: within 10 s ${what}`);
}

interface Change {
  readonly line: RegExp;
  readonly call: (client: CsiClient) => Promise<unknown>;
  /** What the volume needs first, where the change before has not made it. */
  readonly first?: (client: CsiClient) => Promise<unknown>;
}

/** The lines of a volume's life that change something, in its order. */
const changes: readonly Change[] = [
  { line: /\/disk\/add type=file slot/, call: createVolume },
  { line: /nvme-tcp-export=yes/, call: controllerPublishVolume },
  { line: /file-size=/, call: lifeOfAVolume.controllerExpandVolume },
  { line: /nvme-tcp-export=no/, call: lifeOfAVolume.controllerUnpublishVolume },
  { line: /\/disk\/remove/, call: deleteVolume },
  { line: /subvolume\/remove/, call: deleteVolume, first: createVolume },
];

for (const at of ["during", "after"] as const)
  test(`a controller killed ${at} any change leaves nothing that its successor does not finish`, async (t) => {
    const { rds, start } = await site(t);
    let { driver, client } = await start();
    for (const { line, call, first } of changes) {
      await first?.(client);
      const fault = rds.simulator.faults.add({ match: line, at, action: "hang" });
      const lost = assert.rejects(call(client), { code: status.UNAVAILABLE });
      await until(`${line} was not sent`, () => fault.struck > 0);
      await driver.kill();
      await lost;
      ({ driver, client } = await start());
      await call(client);
    }
    assert.deepEqual(await rds.rows("/disk/print as-value where type=file"), []);
    assert.deepEqual(await rds.rows(`/file/print as-value where name~"${volumeId}"`), []);
  });

test("a controller that is asked to end finishes the call it is in, and ends with 0", async (t) => {
  const { rds, start } = await site(t);
  const { driver, client } = await start();
  rds.simulator.switches.set("latency", 150);
  const answer = createVolume(client);
  const sent = () => rds.simulator.statistics.lines.some((line) => line.includes("/disk/add"));
  await until("the volume was not ordered", sent);
  assert.equal(await driver.stop(), 0);
  assert.equal((await answer).volume?.volumeId, volumeId);
  assert.equal((await rds.rows("/disk/print as-value where type=file")).length, 1);
});

test("a controller whose appliance is away at its start becomes ready when it comes", async (t) => {
  const { rds, start } = await site(t);
  await rds.simulator.down();
  const { client } = await start();
  const isReady = async () => (await client.identity.probe({})).ready;
  assert.equal(await isReady(), false);
  await assert.rejects(createVolume(client), { code: status.UNAVAILABLE });
  await rds.simulator.up();
  await until("the appliance did not serve", () =>
    createVolume(client).then(
      () => true,
      () => false,
    ),
  );
  await until("Probe did not say so", async () => (await isReady()) === true);
});
