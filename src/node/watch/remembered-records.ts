import type { StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";

/**
 * Records that need not be read each second to be listed: this process is the only one that writes them. Whatever
 * fails makes the next list read them all again.
 */
export class RememberedRecords implements StageRecords {
  readonly #records: StageRecords;
  #list: Promise<readonly StagedVolume[]> | undefined;

  constructor(records: StageRecords) {
    this.#records = records;
  }

  async find(volumeId: string, ctx: Context): Promise<StagedVolume | undefined> {
    return await this.#records.find(volumeId, ctx);
  }

  async list(ctx: Context): Promise<readonly StagedVolume[]> {
    const list = this.#list ?? this.#records.list(ctx);
    this.#list = list;
    try {
      return await list;
    } catch (error) {
      if (this.#list === list) this.#list = undefined;
      throw error;
    }
  }

  async save(record: StagedVolume, ctx: Context): Promise<void> {
    try {
      await this.#records.save(record, ctx);
    } finally {
      this.#list = undefined;
    }
  }

  async remove(volumeId: string, ctx: Context): Promise<void> {
    try {
      await this.#records.remove(volumeId, ctx);
    } finally {
      this.#list = undefined;
    }
  }
}
