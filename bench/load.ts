import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DemoVolume } from "#app/demo/volume.ts";
import { CsiClient } from "#csi/client.ts";
import { GiB } from "#lib/bytes.ts";

/** What keeps a process busy. */
export interface Load extends AsyncDisposable {
  /** For the table. */
  readonly what: string;
  /** @param index - 0, 1, 2 …; every hundredth call is a costly one. */
  readonly call: (index: number) => Promise<unknown>;
}

const costly = 100;
const volume = { fsType: "ext4", sizeBytes: GiB } as const;

/** Reads the appliance in each call; every hundredth is a volume's whole life. */
export function controllerLoad(socket: string): Load {
  const client = new CsiClient(`unix://${socket}`);
  const capacity = { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined };
  return {
    what: "GetCapacity, and 1 % a volume's life",
    call: (index) =>
      index % costly === 0 ? live(client, index) : client.controller.getCapacity(capacity),
    [Symbol.asyncDispose]: async () => client[Symbol.dispose](),
  };
}

async function live(client: CsiClient, index: number): Promise<void> {
  const created = await DemoVolume.create(client, { ...volume, name: `pvc-life-${index}` });
  await created.attach("n1");
  await created.detach("n1");
  await created.delete();
}

/** Asks the node about itself; every hundredth call is about a mounted volume, where one can be mounted. */
export async function nodeLoad(sockets: {
  readonly controller: string;
  readonly node: string;
  readonly folder: string;
}): Promise<Load> {
  await using stack = new AsyncDisposableStack();
  const client = stack.use(new CsiClient(`unix://${sockets.node}`));
  const controller = stack.use(new CsiClient(`unix://${sockets.controller}`));
  const stats = mayMount() ? await mounted(controller, client, { ...sockets, stack }) : undefined;
  const owned = stack.move();
  return {
    what: `NodeGetInfo${stats ? ", and 1 % NodeGetVolumeStats" : ""}`,
    call: (index) =>
      stats && index % costly === 0 ? client.node.nodeGetVolumeStats(stats) : info(client),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function info(client: CsiClient): Promise<unknown> {
  return client.node.nodeGetInfo({});
}

/** Whether this machine lets us mount: root and loop devices. */
export function mayMount(): boolean {
  return process.getuid?.() === 0 && existsSync("/dev/loop-control");
}

/** A volume on a loop device, mounted as kubelet would have it. @returns the request for its statistics. */
async function mounted(
  controller: CsiClient,
  node: CsiClient,
  { folder, stack }: { readonly folder: string; readonly stack: AsyncDisposableStack },
) {
  const paths = { staging: join(folder, "staging"), target: join(folder, "target") };
  await mkdir(paths.staging);
  const created = await DemoVolume.create(controller, { ...volume, name: "pvc-mounted" });
  stack.defer(() => created.delete());
  const context = await created.attach("n1");
  stack.defer(() => created.detach("n1"));
  stack.defer(() => created.leave(node, paths));
  await created.stage(node, paths, context);
  await created.publish(node, paths, context);
  return { volumeId: created.id, volumePath: paths.target, stagingTargetPath: paths.staging };
}
