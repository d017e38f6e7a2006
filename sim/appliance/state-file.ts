import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { SavedState } from "./saved-state.ts";

/** `appliance.json` in the state directory: the configuration flash of the simulated appliance. */
export class StateFile {
  readonly #path: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, "appliance.json");
  }

  /**
   * `undefined` when nothing was saved yet.
   * @throws {Error} when the file is there and is not a state of this simulator.
   */
  async load(): Promise<SavedState | undefined> {
    const text = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    try {
      const state = JSON.parse(text) as SavedState;
      if (state.format === 1) return state;
    } catch (cause) {
      throw new Error(`Cannot read simulator state "${this.#path}": not JSON`, { cause });
    }
    throw new Error(`Cannot read simulator state "${this.#path}": unknown format`);
  }

  /** Atomic and durable: after a crash the file holds the former state or this one. */
  async save(state: SavedState): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const draft = `${this.#path}.new`;
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(state)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
  }
}
