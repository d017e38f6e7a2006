import { type ChildProcess, execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import type { ClusterVolume } from "./cluster-volume.ts";
import type { Kubelet } from "./kubelet.ts";
import { retry } from "./retry.ts";
import { waitFor } from "./wait-for.ts";
import { sh } from "./world.ts";

/*
 * Nodes that write where they may not any more: each writes a letter of its own, so that the image tells whose
 * writes have landed.
 */

/** Writes one letter all over a device, again and again, whatever comes back. */
export function scribble(path: string, letter: string): ChildProcess {
  sh(`head -c 1M /dev/zero | tr '\\0' ${letter} > /run/${letter}`);
  const write = `dd if=/run/${letter} of=${path} bs=1M oflag=direct conv=notrunc,nocreat 2>/dev/null`;
  return spawn("bash", ["-c", `while true; do ${write}; done`], {
    stdio: "ignore",
    detached: true,
  });
}

/** Ends a whole process group, also while the kernel keeps one of it waiting. */
export function end(child: ChildProcess): void {
  process.kill(-(child.pid ?? 0), "SIGKILL");
}

/** A node asks Kubernetes about a volume that stays away, hears that it is not its own any more, and ends the hold. */
export async function givesUp(nqn: string): Promise<void> {
  await waitFor(
    `the hold of ${nqn} ends`,
    () => sh(`dmsetup table rds-csi-${nqn}`).match(/queue_if_no_path/) === null,
  );
}

/** The pod of a node that has given its volume up goes, and the volume with it. */
export async function leaves(node: Kubelet, volume: ClusterVolume): Promise<void> {
  await retry("unpublishing", () => node.unpublish(volume));
  await retry("unstaging", () => node.unstage(volume));
}

const execute = promisify(execFile);

/** Writes four MiB of a letter, and lets this process serve others meanwhile. */
export async function fill(path: string, letter: string, options = ""): Promise<void> {
  const script = `head -c 4M /dev/zero | tr '\\0' ${letter} | dd of=${path} bs=1M iflag=fullblock ${options}`;
  await execute("bash", ["-o", "pipefail", "-c", script]);
}

/** How many bytes of it are not the letter. */
export function othersThan(letter: string, path: string): string {
  return sh(`tr -d ${letter} < ${path} | wc -c`).trim();
}
