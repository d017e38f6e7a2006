import { mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { ExportedImage, ExportFabric } from "./back-end.ts";

/**
 * Publishes exports as a directory of symbolic links, NQN -> image, for initiators on this host that
 * attach the image itself. A link is there exactly while the disk is exported.
 */
export class SymlinkFabric implements ExportFabric {
  readonly #directory: string;
  readonly #hostPath: (path: string) => string;

  constructor(directory: string, hostPath: (path: string) => string) {
    this.#directory = directory;
    this.#hostPath = hostPath;
  }

  async publish({ nqn, path }: ExportedImage): Promise<void> {
    const link = this.#link(nqn);
    const draft = `${link}.new`;
    await rm(draft, { force: true });
    await symlink(this.#hostPath(path), draft);
    await rename(draft, link);
  }

  async withdraw(nqn: string): Promise<void> {
    await rm(this.#link(nqn), { force: true });
  }

  /** A link shows the file as it is, so there is nothing to tell. */
  async resized(): Promise<void> {}

  async replaceAll(images: readonly ExportedImage[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const wanted = new Set(images.map(({ nqn }) => exportName(nqn)));
    for (const name of await readdir(this.#directory))
      if (!wanted.has(name)) await rm(join(this.#directory, name), { force: true });
    for (const image of images) await this.publish(image);
  }

  /** Links stay: what is attached on this host needs no simulator. */
  async close(): Promise<void> {}

  #link(nqn: string): string {
    return join(this.#directory, exportName(nqn));
  }
}

/** The name of an export's link: the NQN with `/`, `%` and a leading dot percent-encoded. */
function exportName(nqn: string): string {
  return nqn.replace(/[%/]|^\./g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return `%${code.padStart(2, "0")}`;
  });
}
