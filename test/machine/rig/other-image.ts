import { readdirSync, readFileSync } from "node:fs";
import { KernelTarget } from "#sim/nvmet/kernel-target.ts";
import { uuidFor } from "./world.ts";

const configfs = "/sys/kernel/config/nvmet";

/** What is exported under an NQN. */
export interface Exported {
  /** A path on the appliance. */
  readonly image: string;
  readonly namespaceUuid: string;
}

/** The target of the cluster's appliance, past the appliance. */
export function applianceTarget(): KernelTarget {
  return new KernelTarget(configfs, Number(appliancePort()));
}

/** TCP port of the appliance's exports. */
export function appliancePort(): string {
  const [port = "4420"] = readdirSync(`${configfs}/ports`);
  return port;
}

export function exportedUnder(nqn: string): Exported {
  const read = (attribute: string) =>
    readFileSync(`${configfs}/subsystems/${nqn}/namespaces/1/${attribute}`, "utf8").trim();
  return { image: read("device_path"), namespaceUuid: read("device_uuid") };
}

/** Exports something else under an NQN, as somebody at the appliance may do; by default with an identity of its own. */
export function exportInstead(
  nqn: string,
  {
    image,
    namespaceUuid = uuidFor(`${nqn} ${image}`),
  }: Pick<Exported, "image"> & Partial<Exported>,
): void {
  const target = applianceTarget();
  target.unexport(nqn);
  target.export({ nqn, image, namespaceUuid });
}
