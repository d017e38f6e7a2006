import { readFile, stat } from "node:fs/promises";
import type { Sysfs } from "#linux/sysfs.ts";
import { type HostIdentity, uuidNqnPrefix } from "./host-identity.ts";

/**
 * How far one node can tell that no other has its host NQN. `hardware`: it is made of the machine's own UUID, as
 * nvme-cli makes it where the firmware tells one. `image`: it is older than the system's machine-id, which is made at
 * the first start of a copy of an image, so that all copies have it. `unknown`: nothing speaks for or against it.
 * Sources: nvme-gen-hostnqn(1), machine-id(5).
 */
export type HostOrigin = "hardware" | "image" | "unknown";

export interface OriginPlaces {
  /** `/sys/class/dmi/id/product_uuid`; for root only. */
  readonly productUuid: string;
  /** `/etc/machine-id` */
  readonly machineId: string;
}

/** Where a Linux host keeps them. */
export const hostPlaces: OriginPlaces = {
  productUuid: "/sys/class/dmi/id/product_uuid",
  machineId: "/etc/machine-id",
};

/** @param path - the file that the host NQN is from */
export async function hostOrigin(
  { hostNqn, path }: { readonly hostNqn: string; readonly path: string },
  { productUuid, machineId }: OriginPlaces,
): Promise<HostOrigin> {
  const uuid = (await textOf(productUuid)).toLowerCase();
  if (uuid !== "" && hostNqn.toLowerCase() === `${uuidNqnPrefix}${uuid}`) return "hardware";
  // A container may have an empty one.
  if (!/^[0-9a-f]{32}$/.test(await textOf(machineId))) return "unknown";
  const [made, booted] = [await changedAt(path), await changedAt(machineId)];
  return made !== undefined && booted !== undefined && made < booted ? "image" : "unknown";
}

/**
 * A connection of this host that keeps others from being made: Linux refuses one host NQN with two host ids, as
 * "Invalid argument". Observed on Linux 6.12; 6.1 allows it. @returns a part of a sentence, or `undefined` when there is none.
 */
export function hostIdConflict(
  sysfs: Sysfs,
  { hostNqn, hostId }: HostIdentity,
): string | undefined {
  for (const name of sysfs.list("class", "nvme")) {
    if (sysfs.read("class", "nvme", name, "hostnqn") !== hostNqn) continue;
    const other = sysfs.read("class", "nvme", name, "hostid");
    if (other === undefined || other.toLowerCase() === hostId.toLowerCase()) continue;
    const subsystem = sysfs.read("class", "nvme", name, "subsysnqn");
    return `"${name}" of "${subsystem}" is connected as the same host NQN "${hostNqn}" with another host id, "${other}" instead of "${hostId}"`;
  }
  return undefined;
}

async function textOf(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

async function changedAt(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
