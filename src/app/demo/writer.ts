import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** How far a writer is. */
export interface Written {
  /** Records that were flushed without an error. */
  readonly flushed: number;
  readonly error: unknown;
  /** The longest that one record took. */
  readonly longestMs: number;
}

const pauseMs = 2;

/** A pod that writes numbered records, each flushed before the next, until it is stopped or meets an error. */
export class Writer {
  readonly #path: string;
  readonly #end: Promise<void>;
  #written: Written = { flushed: 0, error: undefined, longestMs: 0 };
  #ending = false;

  constructor(path: string) {
    this.#path = path;
    this.#end = this.#write().catch((error: unknown) => {
      this.#written = { ...this.#written, error };
    });
  }

  get written(): Written {
    return this.#written;
  }

  /** Waits for the record that it is at. */
  async stop(): Promise<Written> {
    this.#ending = true;
    await this.#end;
    return this.#written;
  }

  async #write(): Promise<void> {
    await using file = await open(this.#path, "w");
    while (!this.#ending) {
      const started = performance.now();
      await file.write(recordOf(this.#written.flushed));
      await file.sync();
      const took = performance.now() - started;
      const { flushed, longestMs } = this.#written;
      this.#written = {
        ...this.#written,
        flushed: flushed + 1,
        longestMs: Math.max(longestMs, took),
      };
      await delay(pauseMs);
    }
  }
}

/** What a file holds after that many records. */
export function recordsUpTo(count: number): string {
  return Array.from({ length: count }, (_, index) => recordOf(index)).join("");
}

function recordOf(index: number): string {
  return `record ${index}\n`;
}
