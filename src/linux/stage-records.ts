import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import type { DamagedRecord, RecordList, StageRecords } from "#domain/ports/stage-records.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import { isMissing, removeDurably, writeAtomically } from "./atomic-file.ts";
import { readJsonFile } from "./json-file.ts";
import { stageRecordSchema, textOf, volumeFrom } from "./stage-record-schema.ts";

const suffix = ".json";

/** One JSON file per volume, which a person may read; a damaged one is a failure, never an absent volume. */
export class FileStageRecords implements StageRecords {
  readonly #folder: string;

  /** @param folder - `<state>/volumes`; made when first needed. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async find(volumeId: string, _ctx: Context): Promise<StagedVolume | undefined> {
    return await this.#read(this.#path(volumeId));
  }

  async list(_ctx: Context): Promise<RecordList> {
    const names = (await this.#names()).filter((name) => name.endsWith(suffix)).sort();
    const found = await Promise.all(names.map((name) => this.#readAny(join(this.#folder, name))));
    return {
      volumes: found.flatMap((one) => (one !== undefined && "volumeId" in one ? [one] : [])),
      damaged: found.flatMap((one) => (one !== undefined && "reason" in one ? [one] : [])),
    };
  }

  async save(record: StagedVolume, _ctx: Context): Promise<void> {
    await writeAtomically(this.#path(record.volumeId), textOf(record));
  }

  async remove(volumeId: string, _ctx: Context): Promise<void> {
    await removeDurably(this.#path(volumeId));
  }

  async #read(path: string): Promise<StagedVolume | undefined> {
    const record = await readJsonFile(path, stageRecordSchema);
    if (record === undefined) return undefined;
    if (this.#path(record.volumeId) === path) return volumeFrom(record);
    throw new DriverError("internal", `Cannot use "${path}": it is about "${record.volumeId}"`);
  }

  async #readAny(path: string): Promise<StagedVolume | DamagedRecord | undefined> {
    try {
      return await this.#read(path);
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      return { path, reason: error.message };
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #path(volumeId: string): string {
    return join(this.#folder, `${encodeURIComponent(volumeId)}${suffix}`);
  }
}
