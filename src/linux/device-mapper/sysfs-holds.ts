import type { Nqn } from "#domain/nqn.ts";
import type { Hold } from "#domain/ports/device-mapper.ts";
import { sectorBytes } from "../disk-device.ts";
import type { Sysfs } from "../sysfs.ts";
import { nqnOfHold } from "./hold-name.ts";

/** The holds of this host as sysfs shows them, each found by the NQN in its UUID. No process is needed. */
export class SysfsHolds {
  readonly #sysfs: Sysfs;
  readonly #dev: string;
  /** Where each NQN's hold was last: a hint, verified at each use, so that hundreds of holds cost no search. */
  readonly #hints = new Map<Nqn, string>();

  /** @param dev - `/dev` */
  constructor(sysfs: Sysfs, dev: string) {
    this.#sysfs = sysfs;
    this.#dev = dev;
  }

  find(nqn: Nqn): Hold | undefined {
    const hint = this.#hints.get(nqn);
    if (hint !== undefined && this.#nqnOf(hint) === nqn) return this.#read(hint);
    const name = this.#names().find((candidate) => this.#nqnOf(candidate) === nqn);
    if (name === undefined) this.#hints.delete(nqn);
    else this.#hints.set(nqn, name);
    return name === undefined ? undefined : this.#read(name);
  }

  list(): Hold[] {
    return this.#names().flatMap((name) => this.#read(name) ?? []);
  }

  /** Whether a device of this name, such as `dm-3`, was made to hold this NQN; it may have no table in use yet. */
  isMadeFor(nqn: Nqn, name: string): boolean {
    return this.#nqnOf(name) === nqn;
  }

  #names(): string[] {
    return this.#sysfs.list("block").filter((name) => /^dm-\d+$/.test(name));
  }

  #nqnOf(name: string): Nqn | undefined {
    return nqnOfHold(this.#sysfs.read("block", name, "dm", "uuid") ?? "");
  }

  /** @returns `undefined` for devices that are not ours, are going away, or have no table yet. */
  #read(name: string): Hold | undefined {
    const nqn = this.#nqnOf(name);
    const majorMinor = this.#sysfs.read("block", name, "dev");
    const sectors = this.#sysfs.readNumber("block", name, "size");
    if (nqn === undefined || majorMinor === undefined || !sectors) return undefined;
    const suspended = this.#sysfs.read("block", name, "dm", "suspended") === "1";
    const path = `${this.#dev}/${name}`;
    return { nqn, path, majorMinor, sizeBytes: sectors * sectorBytes, suspended };
  }
}
