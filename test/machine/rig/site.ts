import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Cluster } from "./cluster.ts";
import type { ClusterVolume } from "./cluster-volume.ts";
import type { PublishContext } from "./kubelet.ts";
import { sh } from "./world.ts";

/*
 * The machine, appliance and node in one, can be reset and booted again. What outlives it lies on its disk: the
 * pool, and beside it what appliance, node and Kubernetes keep.
 */
const pool = "/appliance";
const kept = `${pool}/.site`;
const memory = `${kept}/kubernetes.json`;

/** Before the cluster starts, which finds its pool ready. */
export function mountDisk(): void {
  for (const folder of [pool, "/run/cluster"]) mkdirSync(folder, { recursive: true });
  sh(`mount /dev/vda ${pool} || { mkfs.btrfs -q /dev/vda && mount /dev/vda ${pool}; }`);
  mkdirSync(kept, { recursive: true });
  sh(`mount --bind ${kept} /run/cluster`);
}

/** For the next boot, as Kubernetes does. */
export function remember(what: unknown): void {
  writeFileSync(memory, JSON.stringify(what));
  sh(`sync ${memory}`);
}

/** @returns what was remembered in the boot before, `undefined` in the first. */
export function remembered<T>(): T | undefined {
  return existsSync(memory) ? JSON.parse(readFileSync(memory, "utf8")) : undefined;
}

/** The power is gone at once, and back. Nothing that was not flushed outlives that. */
export function losePower(): never {
  sh("echo MACHINE-AGAIN > /dev/console; sleep 1; echo b > /proc/sysrq-trigger");
  throw new Error("The power is still there");
}

/** All volumes are connected and whole, and leave nothing when they go. */
export async function leaveWhole(
  cluster: Cluster,
  attached: readonly { readonly volume: ClusterVolume; readonly context: PublishContext }[],
): Promise<void> {
  for (const { volume, context } of attached) {
    assert.deepEqual(cluster.controllers(context["nqn"] ?? ""), ["live"]);
    await cluster.takeDown(volume);
    cluster.assertWhole(volume);
    await cluster.controller.delete(volume);
  }
  cluster.assertNothingLeft();
}
