import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import { isNqn } from "#domain/nqn.ts";
import { formatBytes, GiB } from "#lib/bytes.ts";
import type { Machine } from "./machine.ts";
import { loseAndRegain, recordsFile } from "./reconnection.ts";
import { mountsBelow, type Show } from "./show.ts";
import type { DemoNode, StageSet } from "./stage-set.ts";
import { DemoVolume, type Paths } from "./volume.ts";
import { recordsUpTo } from "./writer.ts";

/** Where the demo prints, and how it learns that it should end. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Play {
  readonly stage: StageSet;
  readonly machine: Machine;
  readonly show: Show;
  readonly signal: AbortSignal;
  /** What is undone when the demo ends early, the last first. */
  readonly undo: AsyncDisposableStack;
}

const name = "pvc-6f8ab9c4-3a5b-4a55-9a53-0d3c9f1de201";

/** The driver's main job, told in the calls that Kubernetes makes. */
export async function tell(play: Play): Promise<void> {
  const volume = await provision(play);
  const first = await attach(play, volume, "node-a");
  const data = play.machine.mounts ? await useIt(play, volume, first) : undefined;
  await expand(play, volume);
  await leave(play, volume, "node-a");
  const second = await attach(play, volume, "node-b");
  await proveFence(play, first, second);
  if (data !== undefined) await readBack(play, volume, { second, data });
  await leave(play, volume, "node-b");
  await remove(play, volume);
}

type PublishContext = { [key: string]: string };

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

async function attach(
  { stage, show, signal, undo }: Play,
  volume: DemoVolume,
  node: DemoNode,
): Promise<PublishContext> {
  signal.throwIfAborted();
  show.step(`Attach it to ${node}: export it under a new name`);
  undo.defer(() => volume.detach(""));
  const context = await volume.attach(node);
  show.call(`ControllerPublishVolume "${node}" -> nqn ${context["nqn"]}`);
  await showDisk({ stage, show }, volume);
  return context;
}

async function useIt(play: Play, volume: DemoVolume, context: PublishContext): Promise<Data> {
  const { machine, show, signal } = play;
  const paths = await bringUp(play, volume, { node: "node-a", context });
  signal.throwIfAborted();
  show.step("Write 64 MiB through the pod's mount, and sync");
  const data = randomBytes(64 * 1024 * 1024);
  const file = await open(join(paths.target, "data"), "w");
  await file.writeFile(data);
  await file.sync();
  await file.close();
  show.kernel(await machine.usage(paths.target));
  show.note(`sha256 ${digestOf(data)}`);
  const { nqn = "" } = context;
  const records =
    machine.nvme && isNqn(nqn) ? await loseAndRegain(play, { volume, paths, nqn }) : 0;
  return { digest: digestOf(data), records };
}

async function bringUp(
  play: Play,
  volume: DemoVolume,
  { node, context }: { readonly node: DemoNode; readonly context: PublishContext },
): Promise<Paths> {
  const { stage, machine, show, signal, undo } = play;
  const client = stage.nodes[node];
  const paths = pathsOn(stage, node);
  signal.throwIfAborted();
  show.step(`Stage it on ${node}: connect, format if blank, mount`);
  await mkdir(paths.staging, { recursive: true });
  await mkdir(dirname(paths.target), { recursive: true });
  undo.defer(() => volume.leaveAtLast(client, paths));
  await volume.stage(client, paths, context);
  show.call("NodeStageVolume");
  show.kernel(await machine.disks(stage.folder));
  show.step("Publish it to a pod");
  await volume.publish(client, paths, context);
  show.call("NodePublishVolume");
  show.kernel((await mountsBelow(stage.folder)).join("\n"));
  return paths;
}

async function expand(play: Play, volume: DemoVolume): Promise<void> {
  const { stage, machine, show, signal } = play;
  signal.throwIfAborted();
  show.step(`Expand it to 2 GiB${machine.mounts ? ", while the pod uses it" : ""}`);
  await volume.expand(2 * GiB);
  show.call("ControllerExpandVolume");
  await showDisk({ stage, show }, volume);
  if (!machine.mounts) return;
  const paths = pathsOn(stage, "node-a");
  const grown = volume.expandOn(stage.nodes["node-a"], paths, 2 * GiB);
  if (machine.growsMounted) await grown;
  else await grown.then(mustNotGrow, (error: Error) => show.note(`refused: ${error.message}`));
  show.call("NodeExpandVolume");
  show.kernel(`${await machine.disks(stage.folder)}\n${await machine.usage(paths.target)}`);
}

function mustNotGrow(): never {
  throw new DriverError(
    "internal",
    "Cannot explain the demo: a file system grew without the right to",
  );
}

async function leave(play: Play, volume: DemoVolume, node: DemoNode): Promise<void> {
  const { stage, machine, show, signal } = play;
  signal.throwIfAborted();
  show.step(`Take it from ${node}`);
  if (machine.mounts) {
    await volume.leave(stage.nodes[node], pathsOn(stage, node));
    show.call("NodeUnpublishVolume, NodeUnstageVolume");
    const mounts = await mountsBelow(stage.folder);
    const disks = await machine.disks(stage.folder);
    show.kernel(`mounts: ${mounts.length}, disks: ${disks === "" ? 0 : disks}`);
  }
  await volume.detach(node);
  show.call(`ControllerUnpublishVolume "${node}"`);
  await showDisk({ stage, show }, volume);
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
  const found = digestOf(await readFile(join(paths.target, "data")));
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
  show.appliance(`disks of that name: ${left}, files of that name: ${files}`);
  if (left !== "0" || files !== "0")
    throw new DriverError("internal", "Cannot delete: something is left");
}

async function showDisk(
  { stage, show }: Pick<Play, "stage" | "show">,
  { id }: DemoVolume,
): Promise<void> {
  const columns = "slot,size,nvme-tcp-export,nvme-tcp-server-nqn,comment,file-path";
  const line = `/disk/print detail proplist=${columns} where slot="${id}"`;
  show.appliance(await stage.typeOnAppliance(line));
}

function pathsOn({ folder }: StageSet, node: DemoNode): Paths {
  const kubelet = join(folder, `${node}-kubelet`);
  return { staging: join(kubelet, "staging"), target: join(kubelet, "pod", "mount") };
}

function digestOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The closing line. */
export function summary(machine: Machine, seconds: number): string {
  const lacks = machine.lacks.map((reason) => `Not shown here: ${reason}\n`).join("");
  const outlived = machine.nvme
    ? ", outlived the loss of its connection without an error for the pod"
    : "";
  return `\n${lacks}Done in ${seconds.toFixed(1)} s; nothing is left mounted or running. One volume grew from ${formatBytes(GiB)} to ${formatBytes(2 * GiB)}${outlived} and moved between two nodes.\n`;
}
