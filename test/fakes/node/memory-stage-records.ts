import { DriverError } from "#domain/errors.ts";
import type { RecordList, StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";

/** Records that outlast a restart of the plugin, but not the test. */
export class MemoryStageRecords implements StageRecords {
  readonly volumes = new Map<string, StagedVolume>();
  /** Ids of volumes whose record cannot be read any more. */
  readonly damaged = new Set<string>();

  async find(volumeId: string, _ctx: Context): Promise<StagedVolume | undefined> {
    if (this.damaged.has(volumeId)) throw new DriverError("internal", reasonOf(volumeId));
    return this.volumes.get(volumeId);
  }

  async list(_ctx: Context): Promise<RecordList> {
    const all = [...this.volumes.values()];
    const damaged = all.filter(({ volumeId }) => this.damaged.has(volumeId));
    return {
      volumes: all.filter((volume) => !damaged.includes(volume)),
      damaged: damaged.map(({ volumeId }) => ({
        path: pathOf(volumeId),
        reason: reasonOf(volumeId),
      })),
    };
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

function pathOf(volumeId: string): string {
  return `/state/volumes/${volumeId}.json`;
}

function reasonOf(volumeId: string): string {
  return `Cannot read "${pathOf(volumeId)}": it is not JSON`;
}
