import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import { isNqn } from "#domain/nqn.ts";
import { formatBytes, GiB } from "#lib/bytes.ts";
import { digestFile, writeRandom } from "./data-file.ts";
import type { Machine } from "./machine.ts";
import { loseAndRegain, recordsFile } from "./reconnection.ts";
import { restoreBeside, saveAndDamage } from "./rescue.ts";
import {
  attach,
  bringUp,
  leave,
  type Play,
  type PublishContext,
  pathsOn,
  showDisk,
} from "./steps.ts";
import { DemoVolume } from "./volume.ts";
import { recordsUpTo } from "./writer.ts";

/** Where the demo prints, and how it learns that it should end. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
}

const name = "pvc-6f8ab9c4-3a5b-4a55-9a53-0d3c9f1de201";

/** The driver's main job, told in the calls that Kubernetes makes. */
export async function tell(play: Play): Promise<void> {
  const volume = await provision(play);
  const first = await attach(play, volume, "node-a");
  const data = play.machine.mounts ? await useIt(play, volume, first) : undefined;
  const rescue =
    data !== undefined && play.stage.snapshots
      ? await saveAndDamage(play, volume, data.digest)
      : undefined;
  await expand(play, volume);
  await leave(play, volume, "node-a");
  const second = await attach(play, volume, "node-b");
  await proveFence(play, first, second);
  if (data !== undefined) {
    const digest = rescue?.damaged ?? data.digest;
    await readBack(play, volume, { second, data: { ...data, digest } });
  }
  if (rescue !== undefined) await restoreBeside(play, volume, rescue.saved);
  await leave(play, volume, "node-b");
  await remove(play, volume);
}

/** What the pod on the first node left on the volume. */
interface Data {
  readonly digest: string;
  /** How many records it wrote through the loss of its connection. */
  readonly records: number;
}

/** So that the demo is short: the default is 5 s. */
const impatient = { reconnectDelay: "1" };

async function provision({ stage, machine, show, signal, undo }: Play): Promise<DemoVolume> {
  signal.throwIfAborted();
  show.step("Provision a volume of 1 GiB over SSH");
  const volume = await DemoVolume.create(stage.controller, {
    name,
    fsType: machine.fsType,
    sizeBytes: GiB,
    ...(machine.nvme && { parameters: impatient }),
  });
  undo.defer(() => volume.delete());
  show.call(`CreateVolume "${name}" -> "${volume.id}"`);
  await showDisk({ stage, show }, volume);
  return volume;
}

async function useIt(play: Play, volume: DemoVolume, context: PublishContext): Promise<Data> {
  const { machine, show, signal } = play;
  const paths = await bringUp(play, volume, { node: "node-a", context });
  signal.throwIfAborted();
  show.step("Write 64 MiB through the pod's mount, and sync");
  const digest = await writeRandom(join(paths.target, "data"));
  show.kernel(await machine.usage(paths.target));
  show.note(`sha256 ${digest}`);
  const { nqn = "" } = context;
  const records =
    machine.nvme && isNqn(nqn) ? await loseAndRegain(play, { volume, paths, nqn }) : 0;
  return { digest, records };
}

async function expand(play: Play, volume: DemoVolume): Promise<void> {
  const { stage, machine, show, signal } = play;
  signal.throwIfAborted();
  show.step(`Expand it to 2 GiB${machine.mounts ? ", while the pod uses it" : ""}`);
  await volume.expand(2 * GiB);
  show.call("ControllerExpandVolume");
  await showDisk({ stage, show }, volume);
  if (!machine.mounts) return;
  const paths = pathsOn(stage, "node-a", volume);
  const grown = volume.expandOn(stage.nodes["node-a"], paths, 2 * GiB);
  if (machine.growsMounted) await grown;
  else await grown.then(mustNotGrow, (error: Error) => show.note(`refused: ${error.message}`));
  show.call("NodeExpandVolume");
  show.kernel(`${await machine.disks(stage.images)}\n${await machine.usage(paths.target)}`);
}

function mustNotGrow(): never {
  throw new DriverError(
    "internal",
    "Cannot explain the demo: a file system grew without the right to",
  );
}

/** The old name must lead nowhere: that is the fence. */
async function proveFence(
  { stage, machine, show }: Play,
  first: PublishContext,
  second: PublishContext,
): Promise<void> {
  const [before, after] = [first["nqn"] ?? "", second["nqn"] ?? ""];
  const exports = await machine.exports(stage.folder);
  if (before === after || exports.includes(before) || !exports.includes(after))
    throw new DriverError(
      "internal",
      `Cannot fence: "${before}" was exported, now ${exports.join(", ")}`,
    );
  show.note(`fence: node-a knew ${before},`);
  show.note("which no longer exists; whatever it still tries cannot reach the disk");
}

async function readBack(
  play: Play,
  volume: DemoVolume,
  { second, data }: { readonly second: PublishContext; readonly data: Data },
): Promise<void> {
  const { machine, show } = play;
  const paths = await bringUp(play, volume, { node: "node-b", context: second });
  show.step("Read on node-b what was written on node-a");
  const found = await digestFile(join(paths.target, "data"));
  show.kernel(await machine.usage(paths.target));
  show.note(`sha256 ${found}`);
  if (found !== data.digest)
    throw new DriverError("internal", `Cannot read back: wrote ${data.digest}, read ${found}`);
  if (data.records === 0) return;
  const records = await readFile(join(paths.target, recordsFile), "utf8");
  if (records !== recordsUpTo(data.records))
    throw new DriverError(
      "internal",
      `Cannot read back: not all ${data.records} records are there`,
    );
  show.note(`all ${data.records} records are there, in order`);
}

async function remove({ stage, show, signal }: Play, volume: DemoVolume): Promise<void> {
  signal.throwIfAborted();
  show.step("Delete it");
  await volume.delete();
  show.call("DeleteVolume");
  const left = await stage.typeOnAppliance(`:put [:len [/disk/find slot="${volume.id}"]]`);
  const files = await stage.typeOnAppliance(`:put [:len [/file/find name~"${volume.id}"]]`);
  const subvolumes = await stage.typeOnAppliance(
    `:put [:len [/disk/btrfs/subvolume/find name~"${volume.id}"]]`,
  );
  show.appliance(
    `of that name there are ${left} disks, ${files} files and ${subvolumes} subvolumes`,
  );
  if ([left, files, subvolumes].some((count) => count !== "0"))
    throw new DriverError("internal", "Cannot delete: something is left");
}

/** What the demo could show, and what it could not. */
export interface Shown {
  readonly machine: Machine;
  readonly lacks: readonly string[];
  readonly snapshots: boolean;
}

/** The closing line. */
export function summary({ machine, lacks: reasons, snapshots }: Shown, seconds: number): string {
  const lacks = reasons.map((reason) => `Not shown here: ${reason}\n`).join("");
  const outlived = machine.nvme
    ? ", outlived the loss of its connection without an error for the pod"
    : "";
  const restored = snapshots
    ? ", was restored from a snapshot after its data had been damaged"
    : "";
  return `\n${lacks}Done in ${seconds.toFixed(1)} s; nothing is left mounted or running. One volume grew from ${formatBytes(GiB)} to ${formatBytes(2 * GiB)}${outlived}${restored} and moved between two nodes.\n`;
}
