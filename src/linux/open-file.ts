import { closeSync, constants, openSync } from "node:fs";

/** A file that is there already, open for writing until it is disposed of. */
export class OpenFile implements Disposable {
  readonly path: string;
  readonly fd: number;

  /** Not "w", which would make a missing one; not "r+", which the kernel refuses for what can only be written. */
  constructor(path: string) {
    this.path = path;
    this.fd = openSync(path, constants.O_WRONLY);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}
