import type { RecordList, StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";

/**
 * Records that need not be read each second to be listed: this process is the only one that writes them. Whatever
 * fails, and a record that is damaged, makes the next list read them all again: somebody may have put it right.
 */
export class RememberedRecords implements StageRecords {
  readonly #records: StageRecords;
  #list: Promise<RecordList> | undefined;

  constructor(records: StageRecords) {
    this.#records = records;
  }

  async find(volumeId: string, ctx: Context): Promise<StagedVolume | undefined> {
    return await this.#records.find(volumeId, ctx);
  }

  async list(ctx: Context): Promise<RecordList> {
    const list = this.#list ?? this.#records.list(ctx);
    this.#list = list;
    let isWhole = false;
    try {
      const { damaged } = await list;
      isWhole = damaged.length === 0;
    } finally {
      if (!isWhole && this.#list === list) this.#list = undefined;
    }
    return await list;
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
