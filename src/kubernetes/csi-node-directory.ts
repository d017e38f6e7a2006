import type { NodeDirectory } from "#domain/ports/node-directory.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { ApiClient } from "./api-client.ts";
import { bears, type CsiNode, type CsiNodeList } from "./csi-node.ts";

export interface CsiNodeDirectoryOptions {
  readonly api: Pick<ApiClient, "get">;
  readonly driverName: string;
  readonly clock: Clock;
}

const collection = "/apis/storage.k8s.io/v1/csinodes";

/** Nodes per page of the fallback's list. */
const pageSize = 500;

/** Attachments come in waves, many for one node. Absence is never remembered: nodes come up. */
const rememberMilliseconds = 10_000;

/** Nodes by their CSINode objects: kubelet lists there each driver that has registered, with its node id. */
export class CsiNodeDirectory implements NodeDirectory {
  readonly #options: CsiNodeDirectoryOptions;
  readonly #seenAt = new Map<string, number>();

  constructor(options: CsiNodeDirectoryOptions) {
    this.#options = options;
  }

  async isKnown(nodeId: string, ctx: Context): Promise<boolean> {
    const { clock } = this.#options;
    const seenAt = this.#seenAt.get(nodeId);
    if (seenAt !== undefined && clock.elapsed() - seenAt < rememberMilliseconds) return true;
    this.#seenAt.delete(nodeId);
    // The node id is the node's name, unless somebody has configured another one.
    if (!(await this.#isNamed(nodeId, ctx)) && !(await this.#isListed(nodeId, ctx))) return false;
    this.#seenAt.set(nodeId, clock.elapsed());
    return true;
  }

  async #isNamed(nodeId: string, ctx: Context): Promise<boolean> {
    const { api, driverName } = this.#options;
    const found = await api.get(`${collection}/${encodeURIComponent(nodeId)}`, ctx);
    return found !== undefined && bears(found as CsiNode, driverName, nodeId);
  }

  async #isListed(nodeId: string, ctx: Context): Promise<boolean> {
    const { api, driverName } = this.#options;
    let token = "";
    do {
      const query = new URLSearchParams({ limit: String(pageSize), continue: token });
      const { items, metadata } = ((await api.get(`${collection}?${query}`, ctx)) ??
        {}) as CsiNodeList;
      if ((items ?? []).some((node) => bears(node, driverName, nodeId))) return true;
      token = metadata?.continue ?? "";
    } while (token !== "");
    return false;
  }
}
