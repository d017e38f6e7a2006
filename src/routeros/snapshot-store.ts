import { DriverError } from "#domain/errors.ts";
import type { SnapshotStore } from "#domain/ports/snapshot-store.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import { formatSnapshotLeaf, type SnapshotKey, type SnapshotLeaf } from "#domain/snapshot-id.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import type { ApplianceStatus } from "./appliance-status.ts";
import { applyToItem } from "./apply-to-item.ts";
import { type Command, command } from "./command.ts";
import { type Fault, faultError, noPool } from "./faults.ts";
import type { JsonRecord } from "./json.ts";
import { clockOf } from "./local-time.ts";
import type { PerConnection } from "./per-connection.ts";
import { printDisks, printFiles, printJson } from "./queries.ts";
import { readBack, readLists } from "./read-records.ts";
import type { Reply } from "./reply.ts";
import type { Site } from "./site.ts";
import { snapshotsIn } from "./snapshot-row.ts";
import {
  imagesOf,
  printSnapshots,
  removeSnapshotLine,
  type SubvolumePool,
  snapshotLine,
  snapshotsOf,
} from "./subvolume-lines.ts";

export interface SnapshotStoreOptions extends Omit<Site, "pool" | "nvmePort"> {
  readonly status: PerConnection<ApplianceStatus>;
}

/** What a line about snapshots tells, whatever else it does. */
const viewLists = 3;

/** Snapshots as read-only Btrfs subvolumes of one appliance, in a folder beside its volumes. */
export class RouterOsSnapshotStore implements SnapshotStore {
  readonly #options: SnapshotStoreOptions;

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  async list(ctx: Context): Promise<Snapshot[]> {
    return await this.#read(undefined, ctx);
  }

  async find(key: SnapshotKey, ctx: Context): Promise<Snapshot | undefined> {
    const [snapshot] = await this.#read(key, ctx);
    return snapshot;
  }

  async take(volume: Volume, key: SnapshotKey, ctx: Context): Promise<Snapshot> {
    const { name, place, console } = this.#options;
    const act = `take snapshot "${key}" of volume "${volume.slot}" on appliance "${name}"`;
    const pool = await this.#pool(ctx);
    if (pool === undefined || volume.layout !== "subvolume") {
      const what = pool === undefined ? `pool "${place.mountPoint}"` : "the volume";
      const lacks = pool === undefined ? "file system with a label" : "subvolume";
      throw new DriverError(
        "failed-precondition",
        `Cannot ${act}: ${what} is no Btrfs ${lacks}, and RouterOS snapshots nothing else`,
      );
    }
    const view = command`${printFiles(imagesOf(place, key))}; ${this.#view(pool, key)}`;
    const effect = snapshotLine(volume, key, pool);
    const first = await console.apply(effect, view, ctx);
    // Another controller was faster with this snapshot, or only with the folder of them all.
    const { reply, doubt } = isTaken(first.reply) ? await console.apply(effect, view, ctx) : first;
    if (!reply.ok) throw refusal(act, reply.fault);
    const [images = [], ...lists] = readBack(reply.output, 1 + viewLists, act);
    const [snapshot] = this.#snapshotsIn(lists, act);
    if (snapshot === undefined)
      throw (
        doubt ??
        new DriverError("operation-pending", `Cannot ${act}: it has changed since it was read`)
      );
    if (images.length > 0) return snapshot;
    throw new DriverError(
      "unavailable",
      `Cannot ${act}: "${formatSnapshotLeaf(snapshot.leaf)}" shows no image`,
    );
  }

  async remove(leaf: SnapshotLeaf, ctx: Context): Promise<void> {
    const { name, console } = this.#options;
    const text = formatSnapshotLeaf(leaf);
    const act = `delete snapshot "${text}" on appliance "${name}"`;
    const pool = await this.#pool(ctx);
    if (pool === undefined) return await this.#requireNone(act, ctx);
    const view = this.#view(pool, leaf.key);
    const effect = removeSnapshotLine(leaf, pool);
    const { reply, doubt } = await applyToItem(console, { effect, view }, ctx);
    if (!reply.ok) throw faultError(act, reply.fault);
    const snapshots = this.#snapshotsIn(readBack(reply.output, viewLists, act), act);
    const left = snapshots.find((one) => formatSnapshotLeaf(one.leaf) === text);
    if (left === undefined) return;
    if (!left.intact)
      throw new DriverError(
        "failed-precondition",
        `Cannot ${act}: somebody made it writable, and it may hold data of its own`,
      );
    throw doubt ?? new DriverError("unavailable", `Cannot ${act}: it is still there`);
  }

  /** @throws {DriverError} whatever the probe found missing. */
  async #pool(ctx: Context): Promise<SubvolumePool | undefined> {
    const { pool } = await this.#options.status.get(ctx);
    const { place } = this.#options;
    return pool.layout === "subvolume" ? { place, fsLabel: pool.fsLabel } : undefined;
  }

  /** On a pool that is no Btrfs; one that has lost its label may hold snapshots, and nobody sees them. */
  async #requireNone(act: string, ctx: Context): Promise<void> {
    const { pool } = await this.#options.status.get(ctx);
    if (pool.fs !== "btrfs") return;
    throw new DriverError(
      "failed-precondition",
      `Cannot ${act}: pool "${pool.mountPoint}" has no file system label, and RouterOS names subvolumes by that only`,
    );
  }

  async #read(key: SnapshotKey | undefined, ctx: Context): Promise<Snapshot[]> {
    const { name, console } = this.#options;
    const act =
      key === undefined
        ? `list the snapshots of appliance "${name}"`
        : `find snapshot "${key}" on appliance "${name}"`;
    const pool = await this.#pool(ctx);
    if (pool === undefined) return [];
    const reply = await console.read(this.#view(pool, key), ctx);
    if (!reply.ok) throw faultError(act, reply.fault);
    return this.#snapshotsIn(readLists(reply.output, viewLists, act), act);
  }

  #view(pool: SubvolumePool, key: SnapshotKey | undefined): Command {
    const mounted = printDisks(command`mount-point=${pool.place.mountPoint}`);
    const clock = printJson(command`/system/clock/print as-value`);
    return command`${mounted}; ${clock}; ${printSnapshots(snapshotsOf(pool, key))}`;
  }

  #snapshotsIn(lists: readonly JsonRecord[][], act: string): Snapshot[] {
    const [pools = [], [clock = {}] = [], rows = []] = lists;
    if (pools.length > 0) return snapshotsIn(rows, { clock: clockOf(clock), act });
    throw noPool(act, this.#options.place);
  }
}

function isTaken(reply: Reply): boolean {
  return !reply.ok && reply.fault.type === "already-exists";
}

/** "Already exists" would say that the snapshot does. */
function refusal(act: string, fault: Fault): DriverError {
  if (fault.type !== "already-exists") return faultError(act, fault);
  return new DriverError("failed-precondition", `Cannot ${act}: RouterOS says "${fault.text}"`);
}
