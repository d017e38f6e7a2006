import type { NodeDirectory } from "#domain/ports/node-directory.ts";

/** The nodes that the configuration lists, where there is no Kubernetes to ask. */
export class ConfiguredNodes implements NodeDirectory {
  readonly #ids: ReadonlySet<string>;

  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
  }

  async isKnown(nodeId: string): Promise<boolean> {
    return this.#ids.has(nodeId);
  }
}
