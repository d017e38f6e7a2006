import type { Context } from "#lib/context.ts";
import type { Nqn } from "../nqn.ts";

/**
 * `attached`: this node still has the volume under this NQN. `ended`: the attachment is gone, or has another NQN.
 * `unknown`: nobody can tell now, so nothing may follow from it.
 */
export type Attachment = "attached" | "ended" | "unknown";

/** Whether what a node holds is still its own. In Kubernetes its VolumeAttachment tells. */
export interface AttachmentCheck {
  /** Never throws: whoever cannot be asked makes it `unknown`. */
  check(volumeId: string, nqn: Nqn, ctx: Context): Promise<Attachment>;
}
