import { join } from "node:path";
import * as v from "valibot";
import type { Nqn } from "#domain/nqn.ts";
import { removeDurably, writeAtomically } from "#linux/atomic-file.ts";
import { readJsonFile } from "#linux/json-file.ts";

const schema = v.strictObject({
  /** `loop7` */
  disk: v.pipe(v.string(), v.regex(/^loop\d+$/)),
  /** The kernel's number of this one attachment; never used twice in one boot. */
  diskSequence: v.number(),
  bootId: v.string(),
  image: v.string(),
});

/** Which attachment of which loop device belongs to an NQN: the number of a loop device says nothing. */
export type LoopRecord = Readonly<v.InferOutput<typeof schema>>;

/** One file per NQN. */
export class LoopRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async find(nqn: Nqn): Promise<LoopRecord | undefined> {
    return readJsonFile(this.#path(nqn), schema);
  }

  async save(nqn: Nqn, record: LoopRecord): Promise<void> {
    await writeAtomically(this.#path(nqn), `${JSON.stringify(record)}\n`);
  }

  async remove(nqn: Nqn): Promise<void> {
    await removeDurably(this.#path(nqn));
  }

  #path(nqn: Nqn): string {
    return join(this.#folder, `${fileNameOf(nqn)}.json`);
  }
}

/** An NQN as a file name. Those of this driver hold no `/`; others do no harm. */
export function fileNameOf(nqn: Nqn): string {
  return nqn.replaceAll("/", "%2F");
}
