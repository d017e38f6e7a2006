import type { NodeDirectory } from "#domain/ports/node-directory.ts";

/** The nodes of a small cluster. */
export class ListedNodes implements NodeDirectory {
  readonly #ids: ReadonlySet<string>;
  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
  }
  async isKnown(nodeId: string): Promise<boolean> {
    return this.#ids.has(nodeId);
  }
}
