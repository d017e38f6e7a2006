import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Sysfs } from "../sysfs.ts";
import { type Controller, controllersOf, isLive } from "./controllers.ts";

/** Sysfs counts in these, whatever the device's own block size. */
const sectorBytes = 512;

export interface Host {
  readonly sysfs: Sysfs;
  /** `/dev` */
  readonly dev: string;
  /** Device number of a node in `dev`. */
  readonly deviceNumberOf: (path: string) => string | undefined;
}

/**
 * The device of a subsystem's one namespace, found through its live controllers and verified: the disk's own
 * parent bears the NQN, its size is not 0, and its node in `/dev` has its number.
 * @returns `undefined` for a subsystem without live controller, or one that shows no usable namespace (yet).
 * @throws {DriverError} `failed-precondition` when two disks of the NQN are there and nobody can choose.
 */
export function findNamespace(host: Host, nqn: Nqn): BlockDevice | undefined {
  const live = controllersOf(host.sysfs, nqn).filter(isLive);
  const disks = new Set(live.flatMap((controller) => disksOf(host.sysfs, controller)));
  const devices = [...disks].flatMap((disk) => verify(host, nqn, disk) ?? []);
  if (devices.length > 1) {
    const paths = devices.map(({ path }) => path).join(" and ");
    throw new DriverError("failed-precondition", `Cannot choose a device of "${nqn}": ${paths}`);
  }
  return devices[0];
}

/**
 * Names of the disks behind a controller. With native multipath its folder holds the hidden path
 * `nvme0c1n2` (subsystem 0, controller 1, head 2) and the disk is `nvme0n2`; without, the disk is in the
 * folder itself.
 */
function disksOf(sysfs: Sysfs, controller: Controller): string[] {
  const names = sysfs.list("class", "nvme", controller.name);
  return names
    .filter((name) => /^nvme\d+(c\d+)?n\d+$/.test(name))
    .map((name) => name.replace(/c\d+/, ""));
}

/** Names of disks change hands within a second, so everything is read from the disk itself, the NQN last. */
function verify({ sysfs, dev, deviceNumberOf }: Host, nqn: Nqn, disk: string) {
  const sectors = sysfs.readNumber("block", disk, "size");
  const blockBytes = sysfs.readNumber("block", disk, "queue", "logical_block_size");
  const majorMinor = sysfs.read("block", disk, "dev");
  if (!sectors || !blockBytes || majorMinor === undefined) return undefined;
  const path = `${dev}/${disk}`;
  if (deviceNumberOf(path) !== majorMinor) return undefined;
  if (sysfs.read("block", disk, "device", "subsysnqn") !== nqn) return undefined;
  return { nqn, path, majorMinor, sizeBytes: sectors * sectorBytes, blockBytes };
}
