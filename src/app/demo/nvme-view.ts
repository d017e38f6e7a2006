import type { Nqn } from "#domain/nqn.ts";
import { formatBytes } from "#lib/bytes.ts";
import { holdName, nqnOfHold } from "#linux/device-mapper/hold-name.ts";
import { controllersOf, describeControllers } from "#linux/nvme/controllers.ts";
import type { Sysfs } from "#linux/sysfs.ts";

/** What the kernel shows of a volume's connection at one moment. */
export interface NvmeView {
  /** `nvme0n1 (259:0, 1 GiB)`: what the hold lies on; `undefined` when it lies on nothing that is there. */
  readonly device: string | undefined;
  readonly isLive: boolean;
  /** For people, a line each. */
  readonly text: string;
}

/** From the hold of an NQN down to its controllers. */
export function viewOf(nqn: Nqn, sysfs: Sysfs): NvmeView {
  const uuid = holdName(nqn);
  const hold = sysfs.list("block").find((name) => sysfs.read("block", name, "dm", "uuid") === uuid);
  const [below] = hold === undefined ? [] : sysfs.list("block", hold, "slaves");
  const device = below === undefined ? undefined : named(below, sysfs);
  const identity = sysfs.read("block", below ?? "", "uuid") ?? "unknown";
  const controllers = controllersOf(sysfs, nqn);
  const on = device === undefined ? "a device that is gone" : `${device}, identity ${identity}`;
  return {
    device,
    isLive: controllers.some(({ state }) => state === "live"),
    text: `${named(hold ?? "", sysfs) ?? "no hold"} lies on ${on}\n${describeControllers(controllers)}`,
  };
}

/** All that are held on this machine. */
export function heldNqns(sysfs: Sysfs): Nqn[] {
  const uuids = sysfs.list("block").map((name) => sysfs.read("block", name, "dm", "uuid") ?? "");
  return uuids.flatMap((uuid) => nqnOfHold(uuid) ?? []);
}

/** `nvme0n1 (259:0, 1 GiB)`; `undefined` for a device that is not there. */
function named(name: string, sysfs: Sysfs): string | undefined {
  const number = sysfs.read("block", name, "dev");
  const sectors = sysfs.readNumber("block", name, "size");
  if (number === undefined || sectors === undefined) return undefined;
  return `${name} (${number}, ${formatBytes(sectors * 512)})`;
}
