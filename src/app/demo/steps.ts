import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import { mountsBelow, type Show } from "./show.ts";
import type { DemoNode, StageSet } from "./stage-set.ts";
import type { DemoVolume, Paths } from "./volume.ts";

export interface Play {
  readonly stage: StageSet;
  readonly machine: Machine;
  readonly show: Show;
  readonly signal: AbortSignal;
  /** What is undone when the demo ends early, the last first. */
  readonly undo: AsyncDisposableStack;
}

export type PublishContext = { [key: string]: string };

export async function attach(
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

export async function bringUp(
  play: Play,
  volume: DemoVolume,
  { node, context }: { readonly node: DemoNode; readonly context: PublishContext },
): Promise<Paths> {
  const { stage, machine, show, signal, undo } = play;
  const client = stage.nodes[node];
  const paths = pathsOn(stage, node, volume);
  signal.throwIfAborted();
  show.step(`Stage it on ${node}: connect, format if blank, mount`);
  await mkdir(paths.staging, { recursive: true });
  await mkdir(dirname(paths.target), { recursive: true });
  undo.defer(() => volume.leaveAtLast(client, paths));
  await volume.stage(client, paths, context);
  show.call("NodeStageVolume");
  show.kernel(await machine.disks(stage.images));
  show.step("Publish it to a pod");
  await volume.publish(client, paths, context);
  show.call("NodePublishVolume");
  show.kernel((await mountsBelow(stage.folder)).join("\n"));
  return paths;
}

export async function leave(play: Play, volume: DemoVolume, node: DemoNode): Promise<void> {
  const { stage, machine, show, signal } = play;
  signal.throwIfAborted();
  show.step(`Take it from ${node}`);
  if (machine.mounts) {
    await volume.leave(stage.nodes[node], pathsOn(stage, node, volume));
    show.call("NodeUnpublishVolume, NodeUnstageVolume");
    const mounts = await mountsBelow(stage.folder);
    const disks = await machine.disks(stage.images);
    show.kernel(`mounts: ${mounts.length}, disks: ${disks === "" ? 0 : disks}`);
  }
  await volume.detach(node);
  show.call(`ControllerUnpublishVolume "${node}"`);
  await showDisk({ stage, show }, volume);
}

export async function showDisk(
  { stage, show }: Pick<Play, "stage" | "show">,
  { id }: DemoVolume,
): Promise<void> {
  const columns = "slot,size,nvme-tcp-export,nvme-tcp-server-nqn,comment,file-path";
  const line = `/disk/print detail proplist=${columns} where slot="${id}"`;
  show.appliance(await stage.typeOnAppliance(line));
}

/** As kubelet would have them. */
export function pathsOn({ folder }: StageSet, node: DemoNode, { id }: DemoVolume): Paths {
  const kubelet = join(folder, `${node}-kubelet`);
  return { staging: join(kubelet, "staging", id), target: join(kubelet, "pod", id, "mount") };
}
