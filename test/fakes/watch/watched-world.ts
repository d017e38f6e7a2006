import type { Nqn } from "#domain/nqn.ts";
import type { Attachment } from "#domain/ports/attachment-check.ts";
import type { Connection } from "#domain/ports/connections.ts";
import { KeyedMutex } from "#lib/keyed-mutex.ts";
import type { WatchHost } from "#node/watch/host.ts";
import { Watch } from "#node/watch/watch.ts";
import { NodeWorld } from "../node/node-world.ts";

/** A node whose staged volumes are watched; time passes only by `pass`. */
export class WatchedWorld extends NodeWorld {
  readonly locks = new KeyedMutex();
  /** What Kubernetes says of attachments. */
  attachment: Attachment = "attached";
  /** How often it was asked. */
  asked = 0;
  /** Identities that targets give their namespaces now. */
  readonly identities = this.kernel.identities;
  /** NQNs of which something is remembered by whoever looks at connections. */
  readonly remembered = new Set<Nqn>();
  /** Controllers of volumes that have not one for each address. */
  readonly pathCounts = new Map<Nqn, number>();
  /** Whose hold shows paths that have failed, to whoever looks at all of them. */
  readonly stuck = new Set<Nqn>();
  readonly watchHost: WatchHost;
  watch: Watch;

  constructor(options: { readonly canHold: boolean } = { canHold: true }) {
    super(options);
    this.watchHost = {
      ...this.host,
      connections: {
        observe: (nqn) => this.#observe(nqn),
        forget: (nqn) => void this.remembered.delete(nqn),
      },
      survey: { disturbed: async () => this.#disturbed() },
      attachments: {
        check: async () => {
          this.asked++;
          return this.attachment;
        },
      },
    };
    this.watch = this.#newWatch();
  }

  /** A new process: what only the old one knew is gone. */
  restartPlugin(): void {
    for (const volumeId of this.records.volumes.keys()) this.health.forget(volumeId);
    this.watch = this.#newWatch();
  }

  /** Lets time pass in steps of 250 ms, with a look at each. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      this.clock.advance(250);
      await this.watch.tick();
      await this.watch.idle();
    }
  }

  /** What was logged about volumes, without the steps between. */
  get told(): readonly string[] {
    return this.log.records.filter(({ level }) => level !== "debug").map(({ message }) => message);
  }

  /** The steps that were decided on, in their order. */
  get decisions(): readonly unknown[] {
    const decided = this.log.records.filter(({ message }) => message === "Decided about a volume");
    return decided.map(({ fields }) => fields["do"]);
  }

  #newWatch(): Watch {
    return new Watch({ host: this.watchHost, locks: this.locks, log: this.log });
  }

  #observe(nqn: Nqn): Connection {
    this.remembered.add(nqn);
    const controller = this.kernel.controllers.get(nqn);
    if (controller === undefined) return { state: "none", device: undefined };
    const { state } = controller;
    const paths = this.pathCounts.get(nqn);
    return { state, device: this.kernel.find(nqn), ...(paths !== undefined && { paths }) };
  }

  #disturbed(): ReadonlySet<Nqn> {
    const suspended = [...this.kernel.holds.values()].filter(({ isSuspended }) => isSuspended);
    return new Set([...suspended.map(({ nqn }) => nqn), ...this.stuck]);
  }
}
