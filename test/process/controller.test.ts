import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { CsiClient } from "#csi/client.ts";
import { lifeOfAVolume, volumeId } from "#test/rig/controller-site.ts";
import { processSite, until } from "#test/rig/process-site.ts";

const { createVolume, controllerPublishVolume, deleteVolume } = lifeOfAVolume;

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
    const { rds, start, killIn } = await processSite(t);
    let { driver, client } = await start();
    for (const { line, call, first } of changes) {
      await first?.(client);
      await killIn(call, { match: line, at }, { driver, client });
      ({ driver, client } = await start());
      await call(client);
    }
    assert.deepEqual(await rds.rows("/disk/print as-value where type=file"), []);
    assert.deepEqual(await rds.rows(`/file/print as-value where name~"${volumeId}"`), []);
  });

test("a controller that is asked to end finishes the call it is in, and ends with 0", async (t) => {
  const { rds, start } = await processSite(t);
  const { driver, client } = await start();
  rds.simulator.switches.set("latency", 150);
  const answer = createVolume(client);
  const sent = () =>
    rds.simulator.statistics.lines.some((line) => line.includes("/disk/add type=file slot="));
  await until("the volume was not ordered", sent);
  assert.equal(await driver.stop(), 0);
  assert.equal((await answer).volume?.volumeId, volumeId);
  assert.equal((await rds.rows("/disk/print as-value where type=file")).length, 1);
});

test("a controller whose appliance is away at its start becomes ready when it comes (pitfall 25)", async (t) => {
  const { rds, start } = await processSite(t);
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
