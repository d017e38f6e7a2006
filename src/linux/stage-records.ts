import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "#domain/errors.ts";
import type { StageRecords } from "#domain/ports/stage-records.ts";
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
    const path = this.#path(volumeId);
    const found = await this.#read(path);
    if (found !== undefined && found.volumeId !== volumeId)
      throw new DriverError("internal", `Cannot use "${path}": it is about "${found.volumeId}"`);
    return found;
  }

  async list(_ctx: Context): Promise<readonly StagedVolume[]> {
    const names = (await this.#names()).filter((name) => name.endsWith(suffix)).sort();
    const found = await Promise.all(names.map((name) => this.#read(join(this.#folder, name))));
    return found.filter((volume) => volume !== undefined);
  }

  async save(record: StagedVolume, _ctx: Context): Promise<void> {
    await writeAtomically(this.#path(record.volumeId), textOf(record));
  }

  async remove(volumeId: string, _ctx: Context): Promise<void> {
    await removeDurably(this.#path(volumeId));
  }

  async #read(path: string): Promise<StagedVolume | undefined> {
    const record = await readJsonFile(path, stageRecordSchema);
    return record && volumeFrom(record);
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
