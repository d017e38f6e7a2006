import type { Context } from "#lib/context.ts";
import type { StagedVolume } from "../staged-volume.ts";

/** The node's durable memory: one small file per volume, written atomically, synced before `save` returns. */
export interface StageRecords {
  find(volumeId: string, ctx: Context): Promise<StagedVolume | undefined>;
  list(ctx: Context): Promise<readonly StagedVolume[]>;
  save(record: StagedVolume, ctx: Context): Promise<void>;
  /** Removing what is not there succeeds. */
  remove(volumeId: string, ctx: Context): Promise<void>;
}
