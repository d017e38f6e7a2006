import type { StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";

/** Records that outlast a restart of the plugin, but not the test. */
export class MemoryStageRecords implements StageRecords {
  readonly volumes = new Map<string, StagedVolume>();

  async find(volumeId: string, _ctx: Context): Promise<StagedVolume | undefined> {
    return this.volumes.get(volumeId);
  }

  async list(_ctx: Context): Promise<readonly StagedVolume[]> {
    return [...this.volumes.values()];
  }

  async save(record: StagedVolume, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.volumes.set(record.volumeId, structuredClone(record));
  }

  async remove(volumeId: string, ctx: Context): Promise<void> {
    ctx.signal.throwIfAborted();
    this.volumes.delete(volumeId);
  }
}
