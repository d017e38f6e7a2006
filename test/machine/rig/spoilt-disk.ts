import { exportedUnder, exportInstead } from "./other-image.ts";
import { sh } from "./world.ts";

const name = "spoilt-disk";

/** A disk of the appliance under one exported image, of which blocks can be made unreadable. */
export class SpoiltDisk implements Disposable {
  readonly #loop: string;
  readonly #sectors: number;

  /** Before anybody connects. */
  constructor(nqn: string) {
    const { image } = exportedUnder(nqn);
    this.#loop = sh(`losetup --find --show --sector-size 4096 ${image}`).trim();
    this.#sectors = Number(sh(`blockdev --getsz ${this.#loop}`));
    sh(`dmsetup --noudevsync create ${name} --table '0 ${this.#sectors} linear ${this.#loop} 0'`);
    const minor = sh(`dmsetup info -c --noheadings -o minor ${name}`).trim();
    exportInstead(nqn, { image: `/dev/dm-${minor}` });
  }

  /** @param block - of 4,096 bytes */
  spoil(block: number): void {
    const [at, after] = [block * 8, block * 8 + 8];
    const lines = [
      `0 ${at} linear ${this.#loop} 0`,
      `${at} 8 error`,
      `${after} ${this.#sectors - after} linear ${this.#loop} ${after}`,
    ];
    sh(`printf '${lines.join("\\n")}\\n' | dmsetup --noudevsync load ${name}`);
    sh(`dmsetup --noudevsync resume ${name}`);
  }

  /** After the export has gone. */
  [Symbol.dispose](): void {
    sh(`dmsetup --noudevsync remove --retry ${name}; losetup -d ${this.#loop}`);
  }
}
