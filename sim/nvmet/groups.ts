import { mkdirSync, rmdirSync } from "node:fs";

/** Making and removing folders of configfs: the kernel puts the attributes in, and takes them out. */
export interface Groups {
  make(path: string): void;
  /** @throws {Error} while something in it, or linked to it, is in use. */
  remove(path: string): void;
}

export const kernelGroups: Groups = {
  make: (path) => mkdirSync(path),
  remove: (path) => rmdirSync(path),
};
