import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { generateKeyPair } from "./key-pair.ts";

export type HostKeyType = "ed25519" | "rsa";

export interface HostKey {
  readonly type: HostKeyType;
  /** OpenSSH private key, PEM. */
  readonly privateKey: string;
  /** `SHA256:…` as `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The public half as in a `known_hosts` line: `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
}

/** @throws {Error} when the text is no private key of one of the two types. */
export function hostKeyFrom(privateKey: string): HostKey {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw new Error(`Cannot read host key: ${key.message}`, { cause: key });
  const type = key.type === "ssh-ed25519" ? "ed25519" : "rsa";
  if (!key.isPrivateKey() || (type === "rsa" && key.type !== "ssh-rsa"))
    throw new Error(`Cannot use host key: "${key.type}" is not a private ed25519 or RSA key`);
  const blob = key.getPublicSSH();
  const digest = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  const publicKey = `${key.type} ${blob.toString("base64")}`;
  return { type, privateKey, fingerprint: `SHA256:${digest}`, publicKey };
}

export function generateHostKey(type: HostKeyType): HostKey {
  return hostKeyFrom(generateKeyPair(type, "rds-csi-simulator").private);
}

/** Keys of a simulator that keeps state: made at the first start, the same ever after. */
export async function storedHostKeys(
  directory: string,
  types: readonly HostKeyType[],
): Promise<HostKey[]> {
  await mkdir(directory, { recursive: true });
  return Promise.all(types.map((type) => storedHostKey(join(directory, `host_${type}`), type)));
}

async function storedHostKey(path: string, type: HostKeyType): Promise<HostKey> {
  const stored = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (stored !== undefined) return hostKeyFrom(stored);
  const key = generateHostKey(type);
  await writeFile(path, key.privateKey, { mode: 0o600, flag: "wx" });
  return key;
}
