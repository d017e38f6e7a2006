import type { RecordList, StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";

/**
 * Records that need not be read each second to be listed: this process is the only one that writes them, and changes the
 * list with the file. Whatever fails, and a record that is damaged, makes the next list read them all again: somebody may
 * have put it right.
 */
export class RememberedRecords implements StageRecords {
  readonly #records: StageRecords;
  /** Whole, and as the files are. */
  #known: RecordList | undefined;
  /** Under way, and begun after the last change. */
  #reading: Promise<RecordList> | undefined;

  constructor(records: StageRecords) {
    this.#records = records;
  }

  async find(volumeId: string, ctx: Context): Promise<StagedVolume | undefined> {
    const found = await this.#records.find(volumeId, ctx);
    // somebody has taken it away or put it back: what was listed before must neither claim its NQN nor leave it unwatched
    if ((found === undefined) === this.#isListed(volumeId)) this.#known = undefined;
    return found;
  }

  async list(ctx: Context): Promise<RecordList> {
    if (this.#known !== undefined) return this.#known;
    const reading = this.#reading ?? this.#records.list(ctx);
    this.#reading = reading;
    const isCurrent = () => this.#reading === reading;
    try {
      const list = await reading;
      if (isCurrent() && list.damaged.length === 0) this.#known = list;
      return list;
    } finally {
      if (isCurrent()) this.#reading = undefined;
    }
  }

  async save(record: StagedVolume, ctx: Context): Promise<void> {
    const { volumeId } = record;
    await this.#change(volumeId, [record], () => this.#records.save(record, ctx));
  }

  async remove(volumeId: string, ctx: Context): Promise<void> {
    await this.#change(volumeId, [], () => this.#records.remove(volumeId, ctx));
  }

  #isListed(volumeId: string): boolean {
    return this.#known?.volumes.some((volume) => volume.volumeId === volumeId) ?? false;
  }

  async #change(
    volumeId: string,
    now: readonly StagedVolume[],
    write: () => Promise<void>,
  ): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#known = undefined;
      throw error;
    } finally {
      this.#reading = undefined;
    }
    if (this.#known === undefined) return;
    const others = this.#known.volumes.filter((other) => other.volumeId !== volumeId);
    this.#known = { ...this.#known, volumes: [...others, ...now] };
  }
}
