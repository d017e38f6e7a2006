import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { CsiClient } from "#csi/client.ts";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import { type Slot, slotForName } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { controllerSite, lifeOfAVolume, order, volumeId } from "#test/rig/controller-site.ts";
import { type PoolContent, poolContent } from "#test/rig/pool-content.ts";
import { settled, shortCommands } from "#test/rig/settled.ts";

const secrets = {};
const name = "before";
const key = snapshotKeyForName(name);
const snapshotId = formatSnapshotLeaf({ key, source: volumeId as Slot, sizeBytes: GiB });
const copyId = slotForName("copy");

const take = ({ controller }: CsiClient) =>
  controller.createSnapshot({ name, sourceVolumeId: volumeId, secrets, parameters: {} });
const remove = ({ controller }: CsiClient) => controller.deleteSnapshot({ snapshotId, secrets });
const deleteCopy = ({ controller }: CsiClient) =>
  controller.deleteVolume({ volumeId: copyId, secrets });
const restore = ({ controller }: CsiClient) =>
  controller.createVolume({
    ...order,
    name: "copy",
    volumeContentSource: { snapshot: { snapshotId } },
    capacityRange: { requiredBytes: 2 * GiB, limitBytes: 0 },
  });

const taken: PoolContent = {
  disks: [`${volumeId} 1G`],
  subvolumes: ["csi", "csi/c1", volumeId, "snapshots", `snapshots/${snapshotId} (ro)`],
};
const restored: PoolContent = {
  disks: [copyId, volumeId].map((id) => `${id} ${id === copyId ? 2 : 1}G`).toSorted(),
  subvolumes: [...taken.subvolumes, copyId].toSorted(),
};

for (const changes of [1, 2, 3])
  test(`a restored volume is whole in the reply, or nothing is said of it, after a cut behind ${changes} changes`, async (t) => {
    const { rds, controller } = await controllerSite(t);
    const client = await controller(shortCommands);
    await lifeOfAVolume.createVolume(client);
    await take(client);
    const match = /subvolume\/add .* read-only=no/;
    rds.simulator.faults.add({ match, at: "during", changes, action: "cut" });
    const answer = await restore(client).catch((error: ServiceError) => error);
    if (answer instanceof Error) assert.equal(answer.code, status.UNAVAILABLE, answer.message);
    else assert.deepEqual(await poolContent(rds), restored);
    // Without a disk entry, nobody can tell what the cut has left; with one, the same call finishes it.
    assert.equal(answer instanceof Error, changes === 1);
    const { volume } = await settled(() => restore(client));
    assert.equal(volume?.capacityBytes, 2 * GiB);
    assert.deepEqual(await poolContent(rds), restored);
  });

const allowed = [status.ABORTED, status.UNAVAILABLE, status.FAILED_PRECONDITION, status.NOT_FOUND];

/** Whoever did not succeed is told that somebody else is at it, or has been. */
function assertTold(answers: readonly PromiseSettledResult<unknown>[]): void {
  for (const answer of answers)
    if (answer.status === "rejected")
      assert.ok(allowed.includes(answer.reason.code), answer.reason.message);
}

test("two controllers that take one snapshot and restore it at once make one of each", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const clients = [await controller(), await controller()];
  const [one = assert.fail()] = clients;
  await lifeOfAVolume.createVolume(one);
  for (let round = 0; round < 12; round += 1) {
    assertTold(await Promise.allSettled(clients.map(take)));
    await take(one);
    assert.deepEqual(await poolContent(rds), taken);
    assertTold(await Promise.allSettled(clients.map(restore)));
    await restore(one);
    assert.deepEqual(await poolContent(rds), restored);
    await deleteCopy(one);
    await remove(one);
    await rds.run('/disk/btrfs/subvolume/remove [find name="_snapshots.c1"]');
  }
});

test("a copy that one controller makes while another deletes it, or its snapshot, is there in whole, or gone", async (t) => {
  const { rds, controller } = await controllerSite(t);
  const [one, two] = [await controller(), await controller()];
  await lifeOfAVolume.createVolume(one);
  for (let round = 0; round < 12; round += 1) {
    await take(one);
    const against = round % 2 === 0 ? deleteCopy : remove;
    assertTold(await Promise.allSettled([restore(one), against(two)]));
    const { disks, subvolumes } = await poolContent(rds);
    const hasEntry = disks.some((disk) => disk.startsWith(copyId));
    assert.equal(subvolumes.includes(copyId), hasEntry, `round ${round}`);
    await deleteCopy(two);
    await remove(two);
  }
});
