import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
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

  /** Takes all of it but so much. */
  fillBut(leftMiB: number): void {
    const free = `$(df --output=avail --block-size=1M ${dirname(this.#filler)} | tail -n 1)`;
    sh(`fallocate -l $((${free} - ${leftMiB}))M ${this.#filler}; sync -f ${this.#filler}`);
  }

  /** Gives it back; Btrfs counts as free only what a transaction has freed. */
  free(): void {
    for (const end of ["", ".end"]) rmSync(`${this.#filler}${end}`, { force: true });
    sh(`sync -f ${dirname(this.#filler)}`);
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
