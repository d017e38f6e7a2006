import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { CsiClient } from "#csi/client.ts";
import type { VolumeContentSource } from "#csi/gen/csi.ts";
import { formatSnapshotLeaf, snapshotKeyForName } from "#domain/snapshot-id.ts";
import { type Slot, slotForName } from "#domain/volume-id.ts";
import { GiB } from "#lib/bytes.ts";
import { lifeOfAVolume, order, volumeId } from "#test/rig/controller-site.ts";
import { momentsOf } from "#test/rig/line-moments.ts";
import { type PoolContent, poolContent } from "#test/rig/pool-content.ts";
import { processSite } from "#test/rig/process-site.ts";
import { settled, shortCommands } from "#test/rig/settled.ts";

type Call = (client: CsiClient) => Promise<unknown>;

const secrets = {};
const snapshotName = "before";
const leaf = {
  key: snapshotKeyForName(snapshotName),
  source: volumeId as Slot,
  sizeBytes: GiB,
};
const snapshotId = formatSnapshotLeaf(leaf);
const copyName = "copy";
const copyId = slotForName(copyName);

const takeSnapshot: Call = async ({ controller }) => {
  const request = { name: snapshotName, sourceVolumeId: volumeId, secrets, parameters: {} };
  const { snapshot } = await controller.createSnapshot(request);
  assert.partialDeepStrictEqual(snapshot, {
    snapshotId,
    sourceVolumeId: volumeId,
    sizeBytes: GiB,
    readyToUse: true,
  });
};
const deleteSnapshot: Call = ({ controller }) => controller.deleteSnapshot({ snapshotId, secrets });
const deleteCopy: Call = ({ controller }) => controller.deleteVolume({ volumeId: copyId, secrets });

function copyOf(volumeContentSource: VolumeContentSource, requiredBytes: number): Call {
  const request = {
    ...order,
    name: copyName,
    volumeContentSource,
    capacityRange: { requiredBytes, limitBytes: 0 },
  };
  return async ({ controller }) => {
    const { volume } = await controller.createVolume(request);
    assert.partialDeepStrictEqual(volume, {
      volumeId: copyId,
      capacityBytes: requiredBytes,
      contentSource: volumeContentSource,
    });
  };
}

const source = `${volumeId} 1G`;
const fresh: PoolContent = { disks: [source], subvolumes: ["csi", "csi/c1", volumeId] };
const emptied: PoolContent = { ...fresh, subvolumes: [...fresh.subvolumes, "snapshots"] };
const taken: PoolContent = {
  ...fresh,
  subvolumes: [...emptied.subvolumes, `snapshots/${snapshotId} (ro)`],
};
const withCopy = ({ disks, subvolumes }: PoolContent, size: string): PoolContent => ({
  disks: [...disks, `${copyId} ${size}`].toSorted(),
  subvolumes: [...subvolumes, copyId].toSorted(),
});

interface Operation {
  readonly name: string;
  readonly line: RegExp;
  /** Commands of the line that change something, where nothing was there before. */
  readonly changes: number;
  readonly first?: Call;
  readonly call: Call;
  readonly after: PoolContent;
  /** What a CO that has lost interest calls instead of the same again, and what is there then. */
  readonly instead?: { readonly call: Call; readonly after: readonly PoolContent[] };
}

const operations: readonly Operation[] = [
  {
    name: "CreateSnapshot",
    line: /subvolume\/add .* read-only=yes/,
    changes: 2,
    call: takeSnapshot,
    after: taken,
    // The empty folder of the snapshots is there as soon as it was made.
    instead: { call: deleteSnapshot, after: [fresh, emptied] },
  },
  {
    name: "DeleteSnapshot",
    line: /subvolume\/remove/,
    changes: 1,
    first: takeSnapshot,
    call: deleteSnapshot,
    after: emptied,
  },
  {
    name: "CreateVolume from a snapshot, larger",
    line: /subvolume\/add .* read-only=no/,
    changes: 3,
    first: takeSnapshot,
    call: copyOf({ snapshot: { snapshotId } }, 2 * GiB),
    after: withCopy(taken, "2G"),
    instead: { call: deleteCopy, after: [taken] },
  },
  {
    name: "CreateVolume from a volume",
    line: /subvolume\/add .* read-only=no/,
    changes: 3,
    call: copyOf({ volume: { volumeId } }, GiB),
    after: withCopy(fresh, "1G"),
    instead: { call: deleteCopy, after: [fresh] },
  },
];

/** How the CO goes on after a controller that was killed: with the same call, or with its contrary. */
interface Ending {
  readonly what: string;
  readonly call: Call;
  readonly after: readonly PoolContent[];
}

const endingsOf = ({ call, after, instead }: Operation): readonly Ending[] => [
  { what: "is finished by its successor", call, after: [after] },
  ...(instead === undefined ? [] : [{ what: "is undone by its successor", ...instead }]),
];

for (const operation of operations)
  for (const ending of endingsOf(operation))
    test(`${operation.name} by a controller killed at any moment ${ending.what}`, async (t) => {
      const { name, line, first, call } = operation;
      const { rds, start, killIn } = await processSite(t, shortCommands);
      let { driver, client } = await start();
      for (const { at, changes } of momentsOf(operation)) {
        await lifeOfAVolume.createVolume(client);
        await first?.(client);
        await killIn(call, { match: line, at, changes }, { driver, client });
        ({ driver, client } = await start());
        const moment = `${name}, killed ${at} its line, behind ${changes} changes`;
        for (const time of ["first", "second"]) {
          await settled(() => ending.call(client));
          const content = await poolContent(rds);
          const expected = ending.after.find((one) => isDeepStrictEqual(one, content));
          assert.deepEqual(content, expected ?? ending.after.at(-1), `${moment}: ${time} call`);
        }
        await deleteCopy(client);
        await deleteSnapshot(client);
        await rds.run('/disk/btrfs/subvolume/remove [find name="_snapshots.c1"]');
        assert.deepEqual(await poolContent(rds), fresh, moment);
      }
    });
