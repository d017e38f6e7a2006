import { createHash } from "node:crypto";
import type { Nqn } from "#domain/nqn.ts";
import type { Attachment, AttachmentCheck } from "#domain/ports/attachment-check.ts";
import type { Context } from "#lib/context.ts";
import type { ApiClient } from "./api-client.ts";

export interface VolumeAttachmentsOptions {
  readonly api: Pick<ApiClient, "get">;
  readonly driverName: string;
  /** Name of the Node object, which the node id is unless somebody has configured another one. */
  readonly nodeName: string;
}

/** The part that matters here. Source: Kubernetes API, storage.k8s.io/v1. */
interface VolumeAttachment {
  readonly metadata?: { readonly deletionTimestamp?: string };
  readonly status?: {
    readonly attached?: boolean;
    readonly attachmentMetadata?: Readonly<Record<string, string>>;
  };
}

const collection = "/apis/storage.k8s.io/v1/volumeattachments";

/** Asks for the VolumeAttachment of a volume on this node, whose metadata is the publish context. */
export class VolumeAttachments implements AttachmentCheck {
  readonly #options: VolumeAttachmentsOptions;
  /** Only a node that is known by this name can be told from one that is called otherwise. */
  #isNameProved = false;

  constructor(options: VolumeAttachmentsOptions) {
    this.#options = options;
  }

  async check(volumeId: string, nqn: Nqn, ctx: Context): Promise<Attachment> {
    try {
      if (!(await this.#proveName(ctx))) return "unknown";
      const found = await this.#options.api.get(`${collection}/${this.#nameFor(volumeId)}`, ctx);
      return found === undefined ? "ended" : verdict(found as VolumeAttachment, nqn);
    } catch (error) {
      ctx.log.info({ volumeId, error: String(error) }, "Cannot ask for a volume's attachment");
      return "unknown";
    }
  }

  async #proveName(ctx: Context): Promise<boolean> {
    const { api, nodeName } = this.#options;
    const path = `/apis/storage.k8s.io/v1/csinodes/${encodeURIComponent(nodeName)}`;
    this.#isNameProved ||= (await api.get(path, ctx)) !== undefined;
    return this.#isNameProved;
  }

  /** As Kubernetes names it: pkg/volume/csi/csi_attacher.go, `getAttachmentName`. */
  #nameFor(volumeId: string): string {
    const { driverName, nodeName } = this.#options;
    const text = `${volumeId}${driverName}${nodeName}`;
    return `csi-${createHash("sha256").update(text).digest("hex")}`;
  }
}

/** One that is being deleted, or not attached yet, says nothing about who may write. */
function verdict({ metadata, status }: VolumeAttachment, nqn: Nqn): Attachment {
  const told = status?.attachmentMetadata?.["nqn"];
  if (metadata?.deletionTimestamp !== undefined || status?.attached !== true) return "unknown";
  if (told === undefined) return "unknown";
  return told === nqn ? "attached" : "ended";
}
