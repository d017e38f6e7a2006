import { existsSync } from "node:fs";
import type { BlockDevice } from "#domain/block-device.ts";
import { DriverError } from "#domain/errors.ts";
import type { Nqn } from "#domain/nqn.ts";
import type { ConnectOptions, NvmeTarget } from "#domain/nvme-target.ts";
import type { Initiator } from "#domain/ports/initiator.ts";
import type { Clock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { Host } from "#linux/disk-device.ts";
import { type ExecError, failureOf } from "#linux/exec-error.ts";
import { poll } from "#linux/poll.ts";
import { toolFailure } from "#linux/tool-failure.ts";
import {
  type Controller,
  controllersOf,
  describeControllers,
  isIdle,
  isLasting,
  isLive,
  leadsTo,
  type Path,
} from "./controllers.ts";
import type { Fabrics } from "./fabrics.ts";
import type { HostIdentity } from "./host-identity.ts";
import { hostIdConflict } from "./host-origin.ts";
import { IpAddresses } from "./ip-addresses.ts";
import { Namespaces } from "./namespaces.ts";

export interface NvmeInitiatorParts {
  readonly fabrics: Fabrics;
  readonly host: Host;
  readonly identity: HostIdentity;
  readonly clock: Clock;
}

/** How long a controller may take to become live, and one that was disconnected to vanish. */
const settleMs = 10_000;
const lookEveryMs = 100;
/** The kernel looks at its time-outs once in a while. */
const timeoutSlackMs = 5_000;
/** How long to look for a moment in which a connection has no command under way. */
const idleMs = 2_000;

/**
 * NVMe over TCP by the kernel. Sysfs is the only witness: whatever a command says, what counts is which
 * controllers of the very NQN are there. No other NQN is ever touched.
 */
export class NvmeInitiator implements Initiator {
  readonly #parts: NvmeInitiatorParts;
  readonly #namespaces: Namespaces;
  readonly #addresses = new IpAddresses();

  constructor(parts: NvmeInitiatorParts) {
    this.#parts = parts;
    this.#namespaces = new Namespaces(parts.host);
  }

  async connect(target: NvmeTarget, options: ConnectOptions, ctx: Context): Promise<void> {
    const { nqn } = target;
    this.#requireFabrics(nqn);
    const failures = await this.#connectPaths(target, options, ctx);
    const outcome = await this.#settle(() => {
      const controllers = this.#controllers(nqn);
      if (controllers.some(isLive)) return "live";
      return controllers.length === 0 && failures.length > 0 ? "failed" : undefined;
    }, ctx);
    if (outcome === "live") return;
    const [failure] = failures;
    const controllers = this.#controllers(nqn);
    if (failure !== undefined && controllers.length === 0) throw this.#refusal(failure);
    const state = describeControllers(controllers);
    const { cause } = failure ?? {};
    throw new DriverError("unavailable", `Cannot connect "${nqn}": ${state}`, { cause });
  }

  /** The kernel says no more than "Invalid argument" to a host NQN that is in use with another host id. */
  #refusal({ path: { nqn, address, port }, cause }: LostPath): unknown {
    const { host, identity } = this.#parts;
    const conflict = cause.stderr.includes("Invalid argument")
      ? hostIdConflict(host.sysfs, identity)
      : undefined;
    if (conflict === undefined)
      return toolFailure(
        `Cannot connect "${nqn}" at ${address} port ${port}`,
        cause,
        "unavailable",
      );
    return new DriverError(
      "failed-precondition",
      `Cannot connect "${nqn}": ${conflict}, and the kernel allows one host id each (the plugin needs the host's /etc/nvme)`,
      { cause },
    );
  }

  async findDevice(nqn: Nqn, _ctx: Context): Promise<BlockDevice | undefined> {
    return this.#namespaces.find(nqn);
  }

  async nodesOf(nqn: Nqn, _ctx: Context): Promise<readonly string[]> {
    return this.#namespaces.all(nqn).map(({ path }) => path);
  }

  async rescan(nqn: Nqn, _ctx: Context): Promise<void> {
    const { sysfs } = this.#parts.host;
    const asked = this.#controllers(nqn)
      .filter(isLive)
      .filter(({ name }) => sysfs.write("1", "class", "nvme", name, "rescan_controller"));
    if (asked.length === 0)
      throw new DriverError("unavailable", `Cannot rescan "${nqn}": no live controller`);
  }

  async reset(nqn: Nqn, silentMs: number, ctx: Context): Promise<void> {
    const { fabrics } = this.#parts;
    const act = `Cannot reset the connection to "${nqn}"`;
    const live = this.#controllers(nqn).filter(isLive);
    if (live.length === 0) throw new DriverError("unavailable", `${act}: no live controller`);
    const dead = silentMs > this.#longestCommandMs() ? live : await this.#idleOf(live, act, ctx);
    const ended = await Promise.all(dead.map((one) => failureOf(fabrics.reset(one, nqn, ctx))));
    const failure = ended.find((each) => each !== undefined);
    if (failure !== undefined) throw toolFailure(act, failure, "unavailable");
  }

  /** The kernel ends a connection by itself on which a command has waited longer than that. */
  #longestCommandMs(): number {
    const { sysfs } = this.#parts.host;
    const seconds = sysfs.read("module", "nvme_core", "parameters", "io_timeout");
    return Number(seconds ?? Number.NaN) * 1_000 + timeoutSlackMs;
  }

  /** @returns those that have no command under way: one that never answers fails each at once. */
  async #idleOf(live: readonly Controller[], act: string, ctx: Context): Promise<Controller[]> {
    const { clock, host } = this.#parts;
    const look = () => {
      const idle = live.filter((controller) => isIdle(host.sysfs, controller));
      return idle.length === 0 ? undefined : idle;
    };
    const limits = { clock, everyMs: lookEveryMs, limitMs: idleMs };
    const idle = await poll(look, limits, ctx);
    if (idle !== undefined) return idle;
    const names = live.map(({ name }) => name).join(" and ");
    const reason = `commands are under way at ${names}, which the target may still carry out`;
    throw new DriverError("unavailable", `${act}: ${reason}`);
  }

  async disconnect(nqn: Nqn, ctx: Context): Promise<void> {
    const { fabrics } = this.#parts;
    const ended = this.#controllers(nqn).map((one) => failureOf(fabrics.disconnect(one, nqn, ctx)));
    if (ended.length === 0) return;
    const failure = (await Promise.all(ended)).find((each) => each !== undefined);
    const gone = await this.#settle(() => this.#controllers(nqn).length === 0 || undefined, ctx);
    if (gone) return;
    const left = describeControllers(this.#controllers(nqn));
    const said = failure === undefined ? "" : `; ${failure.file} ${failure.reason}`;
    throw new DriverError("unavailable", `Cannot disconnect "${nqn}": ${left}${said}`, {
      cause: failure,
    });
  }

  #controllers(nqn: Nqn): Controller[] {
    return controllersOf(this.#parts.host.sysfs, nqn);
  }

  async #settle<T>(probe: () => T | undefined, ctx: Context): Promise<T | undefined> {
    const limits = { clock: this.#parts.clock, everyMs: lookEveryMs, limitMs: settleMs };
    return poll(probe, limits, ctx);
  }

  #requireFabrics(nqn: Nqn): void {
    const path = this.#parts.fabrics.device;
    if (existsSync(path)) return;
    throw new DriverError(
      "failed-precondition",
      `Cannot connect "${nqn}": "${path}" is missing, the kernel module nvme-tcp is not loaded`,
    );
  }

  /**
   * All paths at once, so that a silent address does not delay the others; nothing is left running behind,
   * or a late connection could follow a disconnect. Without native multipath a second path would show a
   * second disk of the same data, so there the first that works is the only one.
   */
  async #connectPaths(
    { nqn, addresses, port }: NvmeTarget,
    options: ConnectOptions,
    ctx: Context,
  ): Promise<LostPath[]> {
    const connect = (address: string) => this.#connectPath({ nqn, address, port }, options, ctx);
    const { sysfs } = this.#parts.host;
    if (sysfs.read("module", "nvme_core", "parameters", "multipath") === "Y") {
      const outcomes = await Promise.all(addresses.map(connect));
      return outcomes.filter((failure) => failure !== undefined);
    }
    const failures: LostPath[] = [];
    for (const address of addresses) {
      if (this.#controllers(nqn).some(isLasting)) break;
      const failure = await connect(address);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  }

  /** @returns why there is no such path. */
  async #connectPath(
    path: Path,
    options: ConnectOptions,
    ctx: Context,
  ): Promise<LostPath | undefined> {
    const cause = await failureOf(this.#requirePath(path, options, ctx));
    if (cause === undefined) return undefined;
    ctx.log.warn({ ...path, error: `${cause.file} ${cause.reason}` }, "Cannot connect a path");
    return { path, cause };
  }

  /** One that was there already is success. */
  async #requirePath(named: Path, options: ConnectOptions, ctx: Context): Promise<void> {
    const path = { ...named, address: await this.#addresses.of(named.address, ctx) };
    const isThere = () =>
      this.#controllers(path.nqn).some((found) => isLasting(found) && leadsTo(found, path));
    if (isThere()) return;
    const { fabrics, identity } = this.#parts;
    const failure = await failureOf(fabrics.connect(path, identity, options, ctx));
    if (failure !== undefined && !isThere()) throw failure;
  }
}

interface LostPath {
  /** As it is named in the configuration. */
  readonly path: Path;
  readonly cause: ExecError;
}
