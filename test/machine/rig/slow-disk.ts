import { mkdirSync } from "node:fs";
import { sh } from "./world.ts";

const name = "slow-disk";
const disk = "/dev/vda";

/** The disk under the appliance's pool, whose writes can be made to take their time. Made before the cluster. */
export class SlowDisk implements Disposable {
  readonly #sectors = Number(sh(`blockdev --getsz ${disk}`));
  readonly #mountPoint: string;

  /** Makes a pool on it. @param mountPoint - of the appliance */
  constructor(mountPoint: string) {
    this.#mountPoint = mountPoint;
    mkdirSync(mountPoint, { recursive: true });
    sh(`modprobe dm-delay; dmsetup --noudevsync create ${name} --table '${this.#table(0)}'`);
    const device = `/dev/dm-${sh(`dmsetup info -c --noheadings -o minor ${name}`).trim()}`;
    sh(`mkfs.xfs -q -f ${device} && mount ${device} ${mountPoint}`);
  }

  /** Of writes from now on: the pool's own are carried out before, and those that wait go on at once. */
  delayWrites(milliseconds: number): void {
    if (milliseconds > 0) sh(`sync -f ${this.#mountPoint}`);
    sh(`dmsetup --noudevsync load ${name} --table '${this.#table(milliseconds)}'`);
    sh(`dmsetup --noudevsync resume ${name}`);
  }

  /** Writes and flushes that it has taken and not carried out. */
  writesUnderWay(): number {
    // <start> <length> delay <reads> <writes> <flushes>: only the target itself counts what it keeps.
    const [, , , , writes, flushes] = sh(`dmsetup status ${name}`).trim().split(" ").map(Number);
    return (writes ?? Number.NaN) + (flushes ?? Number.NaN);
  }

  /** After the pool was unmounted. */
  [Symbol.dispose](): void {
    sh(`dmsetup --noudevsync remove --retry ${name}`);
  }

  #table(writeMs: number): string {
    return `0 ${this.#sectors} delay ${disk} 0 0 ${disk} 0 ${writeMs}`;
  }
}
