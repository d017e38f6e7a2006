import type { ExportedImage } from "./back-end.ts";
import { backingPath, type Disk, isExported, nqnOf, sizeOf, slotOf } from "./disk.ts";
import { failure } from "./failure.ts";
import type { Machine } from "./machine.ts";

/** What is exported of a disk; `undefined` when nothing is, or when it has no backing file. */
export function exportedImage(disk: Disk): ExportedImage | undefined {
  const path = backingPath(disk);
  if (!isExported(disk) || path === undefined) return undefined;
  return {
    nqn: nqnOf(disk),
    path,
    port: Number(disk.settings.get("nvme-tcp-server-port") ?? 4420),
    bytes: sizeOf(disk),
    allowHostName: String(disk.settings.get("nvme-tcp-server-allow-host-name") ?? ""),
  };
}

/**
 * Makes the fabric follow a disk from one state to the next; `undefined` is a disk that is not there.
 * @throws {ConsoleError} when another disk is exported under the NQN.
 */
export async function updateExport(
  before: Disk | undefined,
  after: Disk | undefined,
  machine: Machine,
): Promise<void> {
  const [former, next] = [before, after].map((disk) => disk && exportedImage(disk));
  requireFreeNqn(next, machine, before);
  if (former !== undefined && former.nqn !== next?.nqn) await withdraw(former, machine);
  if (next === undefined) return;
  if (former === undefined || former.nqn !== next.nqn || !sameTarget(former, next)) {
    await machine.backEnd.fabric.publish(next);
    machine.initiators.published(next);
  } else if (former.bytes !== next.bytes) {
    await machine.backEnd.fabric.resized(next.nqn, next.bytes);
    machine.initiators.resized(next.nqn, next.bytes);
  }
}

/**
 * Decides by a `connected-…` switch what an unexport or a removal does to connected hosts.
 * @throws {ConsoleError} `failure: disk is in use` where the switch refuses.
 */
export async function requireReleased(
  disk: Disk,
  by: "connected-remove" | "connected-unexport",
  machine: Machine,
  signal: AbortSignal,
): Promise<void> {
  const policy = machine.switches.get(by);
  const nqn = nqnOf(disk);
  if (!isExported(disk) || machine.initiators.hosts(nqn).length === 0) return;
  if (policy === "refuse") throw failure(`disk "${slotOf(disk)}" is in use`);
  if (policy === "hang") await machine.initiators.released(nqn, signal);
  signal.throwIfAborted();
}

function requireFreeNqn(
  next: ExportedImage | undefined,
  machine: Machine,
  self: Disk | undefined,
): void {
  const holder = next && machine.disks.exportedAs(next.nqn);
  if (holder !== undefined && holder.number !== self?.number)
    throw failure("already have such entry");
}

async function withdraw(image: ExportedImage, machine: Machine): Promise<void> {
  await machine.backEnd.fabric.withdraw(image.nqn);
  machine.initiators.withdrawn(image.nqn);
}

function sameTarget(one: ExportedImage, other: ExportedImage): boolean {
  return (
    one.path === other.path && one.port === other.port && one.allowHostName === other.allowHostName
  );
}
