import type { Context } from "#lib/context.ts";
import type { StagedVolume } from "../staged-volume.ts";

/** The node's durable memory: one small file per volume, written atomically, synced before `save` returns. */
export interface StageRecords {
  /** @throws {DriverError} `internal` for a record that cannot be read: it never passes for one that is not there. */
  find(volumeId: string, ctx: Context): Promise<StagedVolume | undefined>;
  list(ctx: Context): Promise<RecordList>;
  save(record: StagedVolume, ctx: Context): Promise<void>;
  /** Removing what is not there succeeds. */
  remove(volumeId: string, ctx: Context): Promise<void>;
}

/** One record that is damaged hides no other; while there is one, nothing may be taken for nobody's. */
export interface RecordList {
  readonly volumes: readonly StagedVolume[];
  readonly damaged: readonly DamagedRecord[];
}

export interface DamagedRecord {
  readonly path: string;
  /** For an operator; names the path and the place in it. */
  readonly reason: string;
}
