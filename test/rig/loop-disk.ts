import { execFileSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { temporaryFolder } from "./temporary-folder.ts";

/** A real block device on a sparse file; hold it by `using`, and mounts and device go whatever happens. */
export class LoopDisk implements Disposable {
  readonly #folder = temporaryFolder();
  readonly image = join(this.#folder.path, "disk.img");
  readonly device: string;

  constructor(sizeBytes: number) {
    writeFileSync(this.image, "");
    truncateSync(this.image, sizeBytes);
    this.device = run("losetup", "--find", "--show", this.image).trim();
    // a loop device keeps this of whoever had its number before
    run("blockdev", "--setrw", this.device);
  }

  /** A folder beside the image, for mounts. */
  get folder(): string {
    return this.#folder.path;
  }

  get name(): string {
    return basename(this.device);
  }

  /** Grows image and device. */
  grow(sizeBytes: number): void {
    truncateSync(this.image, sizeBytes);
    run("losetup", "--set-capacity", this.device);
  }

  [Symbol.dispose](): void {
    unmountBelow(this.#folder.path);
    run("losetup", "--detach", this.device);
    this.#folder[Symbol.dispose]();
  }
}

/** Unmounts everything at or below `folder`, the last mount first. */
export function unmountBelow(folder: string): void {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse();
  for (const line of lines) {
    const target = line.split(" ")[4] ?? "";
    if (target === folder || target.startsWith(`${folder}/`)) run("umount", "-l", target);
  }
}

function run(file: string, ...args: readonly string[]): string {
  return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
