import { createHash, randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { MiB } from "#lib/bytes.ts";

/** @returns the digest of the 64 MiB that are in the file, and on the disk, then. */
export async function writeRandom(path: string): Promise<string> {
  const data = randomBytes(64 * MiB);
  await using file = await open(path, "w");
  await file.writeFile(data);
  await file.sync();
  return digestOf(data);
}

export async function digestFile(path: string): Promise<string> {
  return digestOf(await readFile(path));
}

function digestOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
