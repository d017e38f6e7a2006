import type { Attachment, AttachmentCheck } from "#domain/ports/attachment-check.ts";

/** Outside of Kubernetes nobody can be asked: holds go on until somebody unstages the volume. */
export class UnaskedAttachments implements AttachmentCheck {
  async check(): Promise<Attachment> {
    return "unknown";
  }
}
