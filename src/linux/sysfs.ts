import { existsSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { OpenFile } from "./open-file.ts";

/** What a file says that belongs to a device which is going away. */
const vanished = ["ENOENT", "ENODEV", "ENXIO", "ENOTDIR"];
/** So do attributes of device-mapper answer (`dm_attr_show` in drivers/md/dm-sysfs.c), and no attribute is read wrongly. */
const unreadable = [...vanished, "EINVAL"];

/**
 * Kernel objects as files. Reads are small and synchronous: sysfs answers from memory, and a thousand
 * attributes take a tenth of what promises cost. Whatever has vanished is `undefined`, or an empty list.
 */
export class Sysfs {
  readonly #root: string;

  /** @param root - `/sys` on a node, a tree of its own in tests. */
  constructor(root: string) {
    this.#root = root;
  }

  /** An attribute without its final newline. */
  read(...path: readonly string[]): string | undefined {
    return unless(unreadable, () => readFileSync(this.#path(path), "utf8").trimEnd());
  }

  /** A whole number; `undefined` also for any other text. */
  readNumber(...path: readonly string[]): number | undefined {
    const text = this.read(...path);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /** Names in a folder, sorted; a dangling symbolic link is listed. */
  list(...path: readonly string[]): string[] {
    return unless(vanished, () => readdirSync(this.#path(path)).sort()) ?? [];
  }

  exists(...path: readonly string[]): boolean {
    return existsSync(this.#path(path));
  }

  /** @returns `false` when the attribute has vanished. */
  write(value: string, ...path: readonly string[]): boolean {
    using file = this.open(...path);
    if (file === undefined) return false;
    return unless(vanished, () => writeSync(file.fd, value)) !== undefined;
  }

  /** For writing. The kernel takes no more writes once the device has gone, whoever has its name by then. */
  open(...path: readonly string[]): OpenFile | undefined {
    return unless(vanished, () => new OpenFile(this.#path(path)));
  }

  #path(path: readonly string[]): string {
    return join(this.#root, ...path);
  }
}

function unless<T>(codes: readonly string[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error && "code" in error && codes.includes(String(error.code)))
      return undefined;
    throw error;
  }
}
