import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair } from "./key-pair.ts";

/** A key pair for the user of a simulator that was given no key. */
export interface ClientKey {
  /** OpenSSH private key, PEM. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA… comment`. */
  readonly publicKey: string;
  /** Where the private key lies; `undefined` when the simulator keeps no state. */
  readonly file: string | undefined;
}

export function generateClientKey(): ClientKey {
  const pair = generateKeyPair("ed25519", "rds-csi-simulator");
  return { privateKey: pair.private, publicKey: pair.public, file: undefined };
}

/** `id_ed25519` and `id_ed25519.pub` in the state directory, made at the first start. */
export async function storedClientKey(directory: string): Promise<ClientKey> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, "id_ed25519");
  const [privateKey, publicKey] = await Promise.all([file, `${file}.pub`].map(readIfThere));
  if (privateKey !== undefined && publicKey !== undefined) return { privateKey, publicKey, file };
  const key = generateClientKey();
  await writeFile(file, key.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${key.publicKey}\n`);
  return { ...key, file };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
