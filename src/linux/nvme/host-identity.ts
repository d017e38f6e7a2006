import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import { uuidV5Bytes } from "#lib/uuid.ts";
import { isMissing, writeAtomically } from "#linux/atomic-file.ts";

/** Who this host is to targets. The kernel refuses one host NQN with two host ids. */
export interface HostIdentity {
  readonly hostNqn: string;
  /** UUID */
  readonly hostId: string;
}

export interface IdentityFolders {
  /** `/etc/nvme`, where nvme-cli keeps the host's own identity. */
  readonly etcNvme: string;
  /** Folder of this plugin that outlives restarts. */
  readonly state: string;
}

/** NVMe Base 2.0, "NVMe Qualified Names": the form for hosts that have no name of their own. */
export const uuidNqnPrefix = "nqn.2014-08.org.nvmexpress:uuid:";

/** Namespace of the host id of a host NQN without UUID. Never change it: ids depend on it. */
const hostIds = Buffer.from("b0a55f3c7ac94ce5a0b64d5e4e0b1c77", "hex");

/**
 * The host's own identity if it has one; otherwise one that is made once and kept.
 * @throws {DriverError} `failed-precondition` for a file that does not hold an NQN.
 */
export async function loadHostIdentity(folders: IdentityFolders): Promise<HostIdentity> {
  const own = await readNqn(join(folders.etcNvme, "hostnqn"));
  if (own !== undefined) {
    const hostId = await readLine(join(folders.etcNvme, "hostid"));
    return { hostNqn: own, hostId: hostId ?? hostIdFor(own) };
  }
  const hostNqn = await keptNqn(join(folders.state, "hostnqn"));
  return { hostNqn, hostId: hostIdFor(hostNqn) };
}

/** The host NQN that `loadHostIdentity` would take, and where it is from; `undefined` when it would make one. */
export async function knownHostNqn(
  folders: IdentityFolders,
): Promise<{ readonly hostNqn: string; readonly path: string } | undefined> {
  for (const folder of [folders.etcNvme, folders.state]) {
    const path = join(folder, "hostnqn");
    const hostNqn = await readNqn(path);
    if (hostNqn !== undefined) return { hostNqn, path };
  }
  return undefined;
}

async function keptNqn(path: string): Promise<string> {
  const kept = await readNqn(path);
  if (kept !== undefined) return kept;
  const made = `${uuidNqnPrefix}${randomUUID()}`;
  await writeAtomically(path, `${made}\n`);
  return made;
}

function hostIdFor(hostNqn: string): string {
  if (hostNqn.startsWith(uuidNqnPrefix)) return hostNqn.slice(uuidNqnPrefix.length);
  const hex = uuidV5Bytes(hostNqn, hostIds).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function readNqn(path: string): Promise<string | undefined> {
  const text = await readLine(path);
  if (text === undefined || /^nqn\.[\x21-\x7e]{1,219}$/.test(text)) return text;
  throw new DriverError("failed-precondition", `Cannot use "${path}": it does not hold an NQN`);
}

/** The first line; `undefined` for a file that is missing or empty. */
async function readLine(path: string): Promise<string | undefined> {
  try {
    const [line = ""] = (await readFile(path, "utf8")).split("\n");
    return line.trim() === "" ? undefined : line.trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
