import type { Nqn } from "#domain/nqn.ts";
import type { Sysfs } from "#linux/sysfs.ts";

/** One connection of this host to a subsystem, as sysfs shows it at this moment. */
export interface Controller {
  /** `nvme0` */
  readonly name: string;
  /** `live`, `connecting`, `resetting`, `deleting`, …; only `live` is of use. */
  readonly state: string;
  /** `traddr=10.0.0.1,trsvcid=4420,src_addr=10.0.0.7`; what follows the port depends on the kernel. */
  readonly address: string;
}

/** One address of one subsystem. */
export interface Path {
  readonly nqn: Nqn;
  readonly address: string;
  readonly port: number;
}

/** All controllers of an NQN in whatever state: a dying one may stand beside a live one. */
export function controllersOf(sysfs: Sysfs, nqn: Nqn): Controller[] {
  return among(sysfs, sysfs.list("class", "nvme"), nqn);
}

/**
 * Those that have joined this subsystem, `nvme-subsys0`; none if it is another NQN's. A link to a controller
 * that has gone may dangle there while a mount holds its disk.
 */
export function controllersIn(sysfs: Sysfs, subsystem: string, nqn: Nqn): Controller[] {
  if (sysfs.read("class", "nvme-subsystem", subsystem, "subsysnqn") !== nqn) return [];
  return among(sysfs, sysfs.list("class", "nvme-subsystem", subsystem), nqn);
}

function among(sysfs: Sysfs, names: readonly string[], nqn: Nqn): Controller[] {
  return names
    .filter((name) => /^nvme\d+$/.test(name))
    .filter((name) => sysfs.read("class", "nvme", name, "subsysnqn") === nqn)
    .map((name) => ({
      name,
      state: sysfs.read("class", "nvme", name, "state") ?? "gone",
      address: sysfs.read("class", "nvme", name, "address") ?? "",
    }));
}

export function isLive({ state }: Controller): boolean {
  return state === "live";
}

/** Whether it may still become live; the kernel lets a new connection stand beside one that is ending. */
export function isLasting({ state }: Controller): boolean {
  return !/^(deleting|dead|gone)/.test(state);
}

/** Whether the controller leads to this address and port. */
export function leadsTo(controller: Controller, path: Path): boolean {
  const fields = controller.address.split(",");
  return fields.includes(`traddr=${path.address}`) && fields.includes(`trsvcid=${path.port}`);
}

/**
 * Names of the disks in a controller's folder: with native multipath the hidden path `nvme0c1n2` (subsystem 0, controller 1,
 * head 2), without it the disk itself.
 */
export function pathsOf(sysfs: Sysfs, { name }: Controller): string[] {
  return sysfs.list("class", "nvme", name).filter((entry) => /^nvme\d+(c\d+)?n\d+$/.test(entry));
}

/**
 * Whether no read or write is under way to the target: the kernel has none that it sent and that was not answered. Where the kernel was
 * told not to count (`queue/iostats`), nobody knows.
 */
export function isIdle(sysfs: Sysfs, controller: Controller): boolean {
  return pathsOf(sysfs, controller).every((path) => {
    const folder = ["class", "nvme", controller.name, path] as const;
    const counts = sysfs.read(...folder, "queue", "iostats") === "1";
    return counts && /^\s*0\s+0$/.test(sysfs.read(...folder, "inflight") ?? "");
  });
}

/** For messages: `nvme0 is "connecting", nvme1 is "deleting"`. */
export function describeControllers(controllers: readonly Controller[]): string {
  if (controllers.length === 0) return "there is no controller";
  return controllers.map(({ name, state }) => `${name} is "${state}"`).join(", ");
}
