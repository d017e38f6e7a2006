import { DriverError } from "#domain/errors.ts";
import {
  type IdentityFolders,
  knownHostNqn,
  loadHostIdentity,
  uuidNqnPrefix,
} from "#linux/nvme/host-identity.ts";
import {
  type HostOrigin,
  hostIdConflict,
  hostOrigin,
  type OriginPlaces,
} from "#linux/nvme/host-origin.ts";
import type { Sysfs } from "#linux/sysfs.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Who this host is to targets, and whether it can be the only one. Makes no identity. */
export async function hostFindings(
  folders: IdentityFolders,
  places: OriginPlaces,
  sysfs: Sysfs,
): Promise<Finding[]> {
  try {
    const known = await knownHostNqn(folders);
    if (known === undefined)
      return [ok(`The host NQN will be made at the first start, in ${folders.state}`)];
    const conflict = hostIdConflict(sysfs, await loadHostIdentity(folders));
    return [
      originFinding(`The host NQN is ${known.hostNqn} (${known.path})`, {
        origin: await hostOrigin(known, places),
      }),
      ...(conflict === undefined ? [] : [problem(`The kernel may refuse to connect: ${conflict}`)]),
    ];
  } catch (error) {
    if (error instanceof DriverError) return [problem(error.message)];
    throw error;
  }
}

function originFinding(text: string, { origin }: { readonly origin: HostOrigin }): Finding {
  if (origin === "hardware") return ok(`${text}, made of this machine's own UUID`);
  if (origin === "unknown") return ok(`${text}; whether another node has it too is not seen here`);
  return warning(
    `${text}, which is older than this system: nodes made of one image have it in common, and are one host to a target. Make it anew while no volume is attached: write "${uuidNqnPrefix}" and a new UUID (uuidgen) there, and remove the hostid beside it`,
  );
}
