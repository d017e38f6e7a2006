import { rmSync } from "node:fs";
import { join } from "node:path";
import { sh } from "./world.ts";

/** Room of the appliance's pool, taken by something that is no volume. */
export class PoolSpace implements Disposable {
  readonly #filler: string;

  /** @param folder - of the pool */
  constructor(folder: string) {
    this.#filler = join(folder, "filler");
  }

  /** Takes all of it, down to the last block. */
  fill(): void {
    const grow = `fallocate -o $(stat -c %s ${this.#filler}) -l $size ${this.#filler} 2>/dev/null`;
    sh(`touch ${this.#filler}; for size in 256M 16M 1M; do while ${grow}; do :; done; done`);
    sh(
      `dd if=/dev/zero of=${this.#filler}.end bs=4k oflag=direct 2>/dev/null; sync -f ${this.#filler}`,
    );
  }

  [Symbol.dispose](): void {
    for (const end of ["", ".end"]) rmSync(`${this.#filler}${end}`, { force: true });
  }
}
