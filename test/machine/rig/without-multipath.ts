import { mkdirSync, writeFileSync } from "node:fs";
import { before } from "node:test";
import type { Cluster } from "./cluster.ts";
import type { ClusterVolume } from "./cluster-volume.ts";
import { waitFor } from "./wait-for.ts";
import { sh } from "./world.ts";

/** The kernel gives up after some seconds, and removes the device. */
export const impatient = { ctrlLossTmo: "3", reconnectDelay: "1", keepAliveTmo: "2" };

/**
 * Before the scenarios of a file, makes the machine a host whose modprobe finds no dm-multipath, and whose mounts are
 * shared, as systemd makes them.
 */
export function withoutMultipath(): void {
  before(() => {
    mkdirSync("/etc/modprobe.d", { recursive: true });
    writeFileSync("/etc/modprobe.d/no-multipath.conf", "install dm_multipath /bin/false\n");
    sh("rmmod dm_service_time dm_multipath 2>/dev/null; mount --make-rshared /");
  });
}

/** How often the present node plugin has logged a message. */
export function logged(cluster: Cluster, message: string): number {
  return Number(sh(`grep -c '${message}' ${cluster.node().logFile} || true`));
}

export async function untilGone(cluster: Cluster, number: string): Promise<void> {
  await waitFor(`the kernel has removed ${number}`, () =>
    cluster.sysfs.exists("dev", "block", number) ? undefined : true,
  );
}

export async function untilSaid(
  cluster: Cluster,
  volume: ClusterVolume,
  words: RegExp,
): Promise<void> {
  await waitFor(`the condition says ${words}`, async () => {
    const condition = await cluster.node().condition(volume);
    return words.test(condition?.message ?? "");
  });
}
