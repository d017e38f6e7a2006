import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file so that after a crash it has either its old or its new content: temporary file, fsync,
 * rename, fsync of the folder. Its mode is 0600; missing folders are made with 0700.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const temporary = join(folder, `${draftPrefix(path)}${randomBytes(4).toString("hex")}.tmp`);
  try {
    await writeSynced(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Removes a file for good, and what killed writers of it left; one that is not there is no error. */
export async function removeDurably(path: string): Promise<void> {
  const folder = dirname(path);
  await rm(path, { force: true });
  for (const name of await namesIn(folder))
    if (name.startsWith(draftPrefix(path))) await rm(join(folder, name), { force: true });
  await syncFolder(folder);
}

function draftPrefix(path: string): string {
  return `.${basename(path)}.`;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A new folder is durable only with those above it. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** A rename or removal is durable only with its folder. A folder that is not there has nothing to lose. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Whether a file-system call failed because there is nothing at its path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
