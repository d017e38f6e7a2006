import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import { diskDevice, type Host } from "#linux/disk-device.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { type Controller, controllersIn, isLive, pathsOf } from "./controllers.ts";

/** Finds the devices of subsystems. */
export class Namespaces {
  readonly #host: Host;
  /** Where each NQN's subsystem was last: a hint, verified at each use, so that 500 volumes cost no search. */
  readonly #hints = new Map<Nqn, string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * The device of a subsystem's one namespace, found through its live controllers and verified: the parent of
   * the disk itself bears the NQN.
   * @returns `undefined` for a subsystem without live controller, or one that shows no usable namespace (yet).
   * @throws {DriverError} `failed-precondition` when two disks of the NQN are there and nobody can choose.
   */
  find(nqn: Nqn): BlockDevice | undefined {
    const devices = this.#devicesOf(nqn, this.#controllers(nqn).filter(isLive));
    if (devices.length > 1) {
      const paths = devices.map(({ path }) => `"${path}"`).join(" and ");
      throw new DriverError(
        "failed-precondition",
        `Cannot choose the device of "${nqn}": it shows ${paths}`,
      );
    }
    return devices[0];
  }

  /** The devices of a subsystem, whatever its controllers do at the moment. */
  all(nqn: Nqn): readonly BlockDevice[] {
    return this.#devicesOf(nqn, this.#controllers(nqn));
  }

  forget(nqn: Nqn): void {
    this.#hints.delete(nqn);
  }

  #devicesOf(nqn: Nqn, controllers: readonly Controller[]): readonly BlockDevice[] {
    const { sysfs } = this.#host;
    const disks = new Set(controllers.flatMap((controller) => disksOf(sysfs, controller)));
    return [...disks].flatMap((disk) => verify(this.#host, nqn, disk) ?? []);
  }

  #controllers(nqn: Nqn): Controller[] {
    const { sysfs } = this.#host;
    const hint = this.#hints.get(nqn);
    const known = hint === undefined ? [] : controllersIn(sysfs, hint, nqn);
    if (known.length > 0) return known;
    const subsystems = sysfs.list("class", "nvme-subsystem");
    const found = subsystems.find((name) => controllersIn(sysfs, name, nqn).length > 0);
    if (found === undefined) this.#hints.delete(nqn);
    else this.#hints.set(nqn, found);
    return found === undefined ? [] : controllersIn(sysfs, found, nqn);
  }
}

/** Names of the disks behind a controller: that of the hidden path `nvme0c1n2` is `nvme0n2`. */
function disksOf(sysfs: Sysfs, controller: Controller): string[] {
  return pathsOf(sysfs, controller).map((name) => name.replace(/c\d+/, ""));
}

/** Names of disks change hands within a second: the NQN is read from the disk itself, and last. */
function verify(host: Host, nqn: Nqn, disk: string): BlockDevice | undefined {
  const device = diskDevice(host, disk);
  const identity = host.sysfs.read("block", disk, "wwid");
  const owner = host.sysfs.read("block", disk, "device", "subsysnqn");
  if (device === undefined || owner !== nqn) return undefined;
  return { nqn, ...device, ...(identity !== undefined && { identity }) };
}
