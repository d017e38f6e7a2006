import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import { GiB } from "#lib/bytes.ts";
import { digestFile, writeRandom } from "./data-file.ts";
import { attach, bringUp, leave, type Play, pathsOn } from "./steps.ts";
import { DemoVolume } from "./volume.ts";

const restoredName = "pvc-0d9f2f6e-4f0b-4a53-8d0e-5a3c1be0a7d2";

/** A snapshot, and what the file in it holds. */
export interface Saved {
  readonly snapshotId: string;
  readonly digest: string;
}

/**
 * Takes a snapshot under the pod that uses the volume, and then overwrites its data.
 * @param digest - of the data now.
 * @returns the snapshot, and the digest of what has taken the place of the data.
 */
export async function saveAndDamage(
  { stage, show, signal, undo }: Play,
  volume: DemoVolume,
  digest: string,
): Promise<{ readonly saved: Saved; readonly damaged: string }> {
  signal.throwIfAborted();
  show.step("Take a snapshot, while the pod has it mounted");
  const snapshotId = await volume.snapshot("snapshot-before-the-mistake");
  undo.defer(() => volume.deleteSnapshot(snapshotId));
  show.call(`CreateSnapshot -> "${snapshotId}"`);
  const columns = "name,parent,read-only,creation-time";
  const line = `/disk/btrfs/subvolume/print detail proplist=${columns} where name="${snapshotId}"`;
  show.appliance(await stage.typeOnAppliance(line));
  show.step("Damage the data: overwrite it, and sync");
  const damaged = await writeRandom(join(pathsOn(stage, "node-a", volume).target, "data"));
  show.note(`sha256 ${damaged}`);
  return { saved: { snapshotId, digest }, damaged };
}

/** A new volume from the snapshot, on the node where the damaged one is; both are gone from the appliance in the end. */
export async function restoreBeside(
  play: Play,
  volume: DemoVolume,
  { snapshotId, digest }: Saved,
): Promise<void> {
  const { stage, machine, show, signal, undo } = play;
  signal.throwIfAborted();
  show.step("Restore the snapshot into a new volume");
  const restored = await DemoVolume.create(stage.controller, {
    name: restoredName,
    fsType: machine.fsType,
    sizeBytes: GiB,
    source: { snapshot: { snapshotId } },
  });
  undo.defer(() => restored.delete());
  show.call(`CreateVolume "${restoredName}" from "${snapshotId}" -> "${restored.id}"`);
  const context = await attach(play, restored, "node-b");
  const { target } = await bringUp(play, restored, { node: "node-b", context });
  show.step("Read what was there before the damage, beside the damaged volume");
  const found = await digestFile(join(target, "data"));
  show.kernel(await machine.usage(target));
  show.note(`sha256 ${found}`);
  if (found !== digest)
    throw new DriverError("internal", `Cannot restore: ${digest} was saved, ${found} is there`);
  await leave(play, restored, "node-b");
  await restored.delete();
  await volume.deleteSnapshot(snapshotId);
  show.call("DeleteVolume, DeleteSnapshot");
  const left = `:put [:len [/disk/btrfs/subvolume/find where name="${snapshotId}" or name="${restored.id}"]]`;
  const count = await stage.typeOnAppliance(left);
  show.appliance(`subvolumes of those names: ${count}`);
  if (count !== "0") throw new DriverError("internal", "Cannot delete: something is left");
}
