import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Sysfs } from "#linux/sysfs.ts";
import { temporaryFolder } from "#test/rig/temporary-folder.ts";

/** A small `/sys` of real files and links; hold it by `using`. */
export class SysfsTree implements Disposable {
  readonly #folder = temporaryFolder();

  get root(): string {
    return this.#folder.path;
  }

  get sysfs(): Sysfs {
    return new Sysfs(this.root);
  }

  /** Makes a folder with attributes; ones that are there get the new value. */
  attributes(path: string, values: Readonly<Record<string, string | number>>): void {
    mkdirSync(join(this.root, path), { recursive: true });
    for (const [name, value] of Object.entries(values)) {
      mkdirSync(dirname(join(this.root, path, name)), { recursive: true });
      writeFileSync(join(this.root, path, name), `${value}\n`);
    }
  }

  /** A relative link, as sysfs has them; its end may be missing. */
  link(path: string, end: string): void {
    const place = join(this.root, path);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(relative(dirname(place), join(this.root, end)), place);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
