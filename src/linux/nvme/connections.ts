import type { BlockDevice } from "#domain/block-device.ts";
import { isFailure } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { Connection, Connections } from "#domain/ports/connections.ts";
import type { Clock } from "#lib/clock.ts";
import type { Host } from "#linux/disk-device.ts";
import { sectorBytes } from "#linux/disk-device.ts";
import { type Controller, isLasting, isLive } from "./controllers.ts";
import { Namespaces } from "./namespaces.ts";

/** A look at all controllers serves every volume for so long: in an outage of 300 they are not read 300 times. */
const surveyLastsMs = 100;

interface Seen {
  readonly connection: Connection;
  readonly device: BlockDevice;
  readonly controllers: readonly string[];
}

/**
 * Connections by sysfs. One that was whole is only compared with what was seen: three small reads. Whatever has
 * changed is looked up from the NQN again.
 */
export class LinuxConnections implements Connections {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #namespaces: Namespaces;
  readonly #whole = new Map<Nqn, Seen>();
  #survey: { readonly at: number; readonly controllers: ReadonlyMap<string, Controller[]> };

  constructor(host: Host, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
    this.#namespaces = new Namespaces(host);
    this.#survey = { at: Number.NEGATIVE_INFINITY, controllers: new Map() };
  }

  observe(nqn: Nqn): Connection {
    const seen = this.#whole.get(nqn);
    if (seen !== undefined && this.#isUnchanged(nqn, seen)) return seen.connection;
    this.#whole.delete(nqn);
    return this.#lookUp(nqn);
  }

  forget(nqn: Nqn): void {
    this.#whole.delete(nqn);
    this.#namespaces.forget(nqn);
    this.#survey = { at: Number.NEGATIVE_INFINITY, controllers: new Map() };
  }

  /** The disk is found by its number, and itself says whose it is: so names that change hands are noticed. */
  #isUnchanged(nqn: Nqn, { device: { majorMinor, sizeBytes }, controllers }: Seen): boolean {
    const { sysfs } = this.#host;
    const disk = ["dev", "block", majorMinor];
    return (
      controllers.every((name) => sysfs.read("class", "nvme", name, "state") === "live") &&
      sysfs.read(...disk, "device", "subsysnqn") === nqn &&
      sysfs.readNumber(...disk, "size") === sizeBytes / sectorBytes
    );
  }

  #lookUp(nqn: Nqn): Connection {
    const controllers = this.#controllersOf(nqn).filter(isLasting);
    const live = controllers.filter(isLive);
    if (controllers.length === 0) return { state: "none", device: undefined };
    if (live.length === 0) return { state: "connecting", device: undefined };
    const device = this.#deviceOf(nqn);
    const laggard = live.length < controllers.length;
    const paths = controllers.length;
    if (device === undefined) return { state: "live", device, laggard, paths };
    const connection: Connection = { state: "live", device, laggard, paths };
    const names = live.map(({ name }) => name);
    if (!laggard) this.#whole.set(nqn, { connection, device, controllers: names });
    return connection;
  }

  /** Two disks of one NQN, an old and a new one, are as good as none: nobody can tell which is the volume. */
  #deviceOf(nqn: Nqn): BlockDevice | undefined {
    try {
      return this.#namespaces.find(nqn);
    } catch (error) {
      if (isFailure(error, "failed-precondition")) return undefined;
      throw error;
    }
  }

  #controllersOf(nqn: Nqn): readonly Controller[] {
    const now = this.#clock.elapsed();
    if (now - this.#survey.at >= surveyLastsMs)
      this.#survey = { at: now, controllers: this.#readAll() };
    return this.#survey.controllers.get(nqn) ?? [];
  }

  #readAll(): Map<string, Controller[]> {
    const { sysfs } = this.#host;
    const byNqn = new Map<string, Controller[]>();
    for (const name of sysfs.list("class", "nvme")) {
      const nqn = sysfs.read("class", "nvme", name, "subsysnqn");
      const state = sysfs.read("class", "nvme", name, "state");
      if (nqn === undefined || state === undefined) continue;
      byNqn.set(nqn, [...(byNqn.get(nqn) ?? []), { name, state, address: "" }]);
    }
    return byNqn;
  }
}
