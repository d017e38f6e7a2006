import { mkdir, open, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileStore, StoreError } from "./back-end.ts";
import { runTool } from "./run-tool.ts";

/** Files of the appliance as files of this host; images are sparse. */
export class DirectoryFiles implements FileStore {
  readonly #root: string;

  /** @param root - Holds one directory per mount point. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Where a path of the appliance is on this host. */
  hostPath(path: string): string {
    return join(this.#root, path);
  }

  makeDirectory(path: string): Promise<void> {
    return carriedOut(async () => void (await mkdir(this.hostPath(path), { recursive: true })));
  }

  createImage(path: string, bytes: number): Promise<void> {
    return carriedOut(async () => {
      await rm(this.hostPath(path), { force: true });
      await this.#setLength(path, bytes, "wx");
    });
  }

  growImage(path: string, bytes: number): Promise<void> {
    return carriedOut(() => this.#setLength(path, bytes, "r+"));
  }

  writeText(path: string, contents: string): Promise<void> {
    return carriedOut(() => writeFile(this.hostPath(path), contents));
  }

  copy(source: string, target: string): Promise<void> {
    const paths = [this.hostPath(source), this.hostPath(target)];
    const options = ["--recursive", "--sparse=always", "--reflink=auto", "--no-target-directory"];
    return carriedOut(async () => void (await runTool("cp", ...options, "--", ...paths)));
  }

  move(source: string, target: string): Promise<void> {
    return carriedOut(() => rename(this.hostPath(source), this.hostPath(target)));
  }

  remove(path: string): Promise<void> {
    return carriedOut(() => rm(this.hostPath(path), { recursive: true, force: true }));
  }

  async usedOfFileSystem(mountPoint: string): Promise<number> {
    const { blocks, bavail, bsize } = await statfs(this.hostPath(mountPoint));
    return (blocks - bavail) * bsize;
  }

  async writtenBytes(mountPoint: string): Promise<number> {
    const output = await runTool("du", "--summarize", "--block-size=1", this.hostPath(mountPoint));
    return Number.parseInt(output, 10);
  }

  async #setLength(path: string, bytes: number, flags: "wx" | "r+"): Promise<void> {
    const file = await open(this.hostPath(path), flags, 0o600);
    try {
      await file.truncate(bytes);
    } finally {
      await file.close();
    }
  }
}

/** Translates what the host refuses into what RouterOS would print. */
async function carriedOut(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const full = code === "ENOSPC" || code === "EDQUOT";
    const text = full ? "not enough space" : `cannot change files (${String(code ?? cause)})`;
    throw new StoreError(`failure: ${text}`, { cause });
  }
}
