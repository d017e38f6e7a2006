import { DriverError } from "#domain/errors.ts";
import type { Appliance, CapacityLimits } from "#domain/ports/appliances.ts";
import type { SnapshotStore } from "#domain/ports/snapshot-store.ts";
import type { VolumeStore } from "#domain/ports/volume-store.ts";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Context } from "#lib/context.ts";
import type { ApplianceStatus } from "./appliance-status.ts";
import { CommandQueue } from "./command-queue.ts";
import { Console } from "./console.ts";
import { canonicalPath } from "./paths.ts";
import { PerConnection } from "./per-connection.ts";
import { Probe } from "./probe.ts";
import { RestingLeftovers } from "./resting-leftovers.ts";
import { RouterOsSnapshotStore } from "./snapshot-store.ts";
import type { Endpoint } from "./transport/endpoint.ts";
import { Link } from "./transport/link.ts";
import { RetryGate } from "./transport/retry-gate.ts";
import { RouterOsVolumeStore } from "./volume-store.ts";

export interface RouterOsApplianceOptions extends Endpoint {
  /** Prefix of the ids of its volumes; `undefined` for the default appliance. */
  readonly idPrefix: string | undefined;
  /** Mount point of the pool, such as `storage-pool`. */
  readonly pool: string;
  /** The driver's folder on the pool. */
  readonly baseDirectory: string;
  readonly clusterId: string;
  readonly data: { readonly addresses: readonly string[]; readonly port: number };
  readonly limits: CapacityLimits;
  /** Commands under way at once; 1 is what RouterOS is known to serve. */
  readonly channels: number;
  /** Commands that may wait for their turn. */
  readonly queueLength: number;
  readonly clock?: Clock;
}

/** A MikroTik appliance with RouterOS 7.21 or later, over SSH. Connects at first use. */
export class RouterOsAppliance implements Appliance, AsyncDisposable {
  readonly name: string;
  readonly idPrefix: string | undefined;
  readonly volumes: VolumeStore;
  readonly snapshots: SnapshotStore;
  readonly data: RouterOsApplianceOptions["data"];
  readonly limits: CapacityLimits;
  readonly #link: Link;
  readonly #probe: Probe;
  readonly #status: PerConnection<ApplianceStatus>;

  constructor(options: RouterOsApplianceOptions) {
    const { name, idPrefix, data, limits, channels, queueLength, clock = systemClock } = options;
    this.name = name;
    this.idPrefix = idPrefix;
    this.data = data;
    this.limits = limits;
    const { baseDirectory, clusterId } = options;
    const place = { mountPoint: canonicalPath(options.pool), baseDirectory, clusterId };
    this.#link = new Link(options, new RetryGate(clock, Math.random));
    const queue = new CommandQueue({ name, channels, length: queueLength });
    const console = new Console(name, this.#link, queue);
    this.#probe = new Probe(name, place.mountPoint, console);
    this.#status = new PerConnection(this.#link, (ctx) => this.#probe.status(ctx));
    const shared = { name, place, status: this.#status, console };
    const leftovers = new RestingLeftovers(clock, options.commandTimeoutMs);
    const own = { link: this.#link, nvmePort: data.port, leftovers };
    this.volumes = new RouterOsVolumeStore({ ...own, ...shared });
    this.snapshots = new RouterOsSnapshotStore(shared);
  }

  /** What the appliance says about itself now. @throws {DriverError} naming what is missing. */
  async status(ctx: Context): Promise<ApplianceStatus> {
    this.#status.forget();
    return await this.#status.get(ctx);
  }

  async ready(ctx: Context): Promise<void> {
    try {
      const { pool } = await this.#status.get(ctx);
      const now = await this.#probe.pool(ctx);
      if (now.layout !== pool.layout || now.fsLabel !== pool.fsLabel) this.#status.forget();
    } catch (error) {
      if (!(error instanceof DriverError) || error.kind === "unavailable") throw error;
      throw new DriverError("unavailable", error.message, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}
