import { DriverError } from "#domain/errors.ts";
import { type Origin, sourceOf } from "#domain/origin.ts";
import type { NewVolume, VolumeChange, VolumeStore } from "#domain/ports/volume-store.ts";
import type { ExportState, Layout, Pool, Survey, Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { formatVolumeTag, parseVolumeTag } from "#domain/volume-tag.ts";
import { TiB } from "#lib/bytes.ts";
import type { Clock } from "#lib/clock.ts";
import { CallPlan, type Fault, turn } from "./call-plan.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemorySnapshotStore } from "./memory-snapshot-store.ts";

export interface MemoryVolumeStoreOptions {
  readonly cluster?: string;
  readonly poolBytes?: number;
  /**
   * `false`: two changes that compare at the same moment both set, as RouterOS may do because it does not
   * promise that find and set are one step.
   */
  readonly atomic?: boolean;
  readonly layout?: Layout;
  /** Of the appliance, for snapshots. */
  readonly clock?: Clock;
}

/** A `/disk` entry: what the appliance keeps, the comment as text. */
interface Entry {
  sizeBytes: number;
  comment: string;
  exported: ExportState;
}

/** An image on the pool. */
interface Image {
  readonly sizeBytes: number;
  /** What it was copied from, as the appliance shows it for as long as that is there. */
  readonly parent: string | undefined;
}

/** One appliance in memory. Every call takes a turn of the event loop, so that calls can overtake each other. */
export class MemoryVolumeStore implements VolumeStore {
  readonly snapshots: MemorySnapshotStore;
  /** Bytes on the pool that are no image of a volume. */
  otherBytes = 0;
  readonly #cluster: string;
  readonly #poolBytes: number;
  readonly #atomic: boolean;
  readonly #entries = new Map<Slot, Entry>();
  readonly #layout: Layout;
  readonly #images = new Map<Slot, Image>();
  readonly #plan = new CallPlan<keyof VolumeStore>();

  constructor({
    cluster = "lab",
    poolBytes = TiB,
    atomic = true,
    layout = "subvolume",
    clock = new ManualClock(),
  }: MemoryVolumeStoreOptions = {}) {
    this.snapshots = new MemorySnapshotStore((slot) => this.peek(slot), clock);
    this.#cluster = cluster;
    this.#layout = layout;
    this.#poolBytes = poolBytes;
    this.#atomic = atomic;
  }

  /** An entry that somebody made by hand, or in another cluster. */
  putEntry(slot: Slot, comment: string, { enabled = false, nqn = "", port = 4420 } = {}): void {
    const sizeBytes = this.#images.get(slot)?.sizeBytes ?? 0;
    this.#entries.set(slot, { sizeBytes, comment, exported: { enabled, nqn, port } });
  }

  /** An image without an entry, or one for an entry that is put next. */
  putImage(slot: Slot, sizeBytes: number, parent?: string): void {
    this.#images.set(slot, { sizeBytes, parent });
  }

  hasImage(slot: Slot): boolean {
    return this.#images.has(slot);
  }

  /** The volume as it is now, without a call. */
  peek(slot: Slot): Volume | undefined {
    const entry = this.#entries.get(slot);
    return entry && this.#owned(slot, entry);
  }

  /** The comment of an entry, whosever it is. */
  commentOf(slot: Slot): string | undefined {
    return this.#entries.get(slot)?.comment;
  }

  /** The calls that arrived, for budgets of round trips. */
  get calls(): readonly (keyof VolumeStore)[] {
    return this.#plan.calls;
  }

  failNext(fault: Fault<keyof VolumeStore>): void {
    this.#plan.failNext(fault);
  }

  /** Lets somebody else act right before the next call of `method` takes effect. */
  overtakeNext(method: keyof VolumeStore, act: () => Promise<unknown>): void {
    this.#plan.overtakeNext(method, act);
  }

  async find(slot: Slot): Promise<Volume | undefined> {
    return await this.#plan.run("find", () => this.#find(slot));
  }

  async survey(): Promise<Survey> {
    return await this.#plan.run("survey", () => ({
      volumes: [...this.#entries].flatMap(([slot, entry]) => this.#owned(slot, entry) ?? []),
      pool: this.#pool(),
      provisionedBytes: this.#imageBytes(),
    }));
  }

  async create(spec: NewVolume): Promise<Volume> {
    return await this.#plan.run("create", () => {
      const { slot, tag, origin } = spec;
      const existing = this.#find(slot);
      if (existing !== undefined) return existing;
      const sizeBytes = Math.max(
        spec.sizeBytes,
        origin === undefined ? 0 : this.#sizeOf(origin, slot),
      );
      this.#requireFree(spec);
      this.#reserve(sizeBytes, `create volume "${slot}"`);
      this.putImage(slot, sizeBytes, origin && sourceOf(origin));
      this.putEntry(slot, formatVolumeTag(tag));
      return this.#demand(slot);
    });
  }

  async change(volume: Volume, change: VolumeChange): Promise<Volume | undefined> {
    return await this.#plan.run("change", async () => {
      const current = this.#find(volume.slot);
      if (current?.comment !== volume.comment) return undefined;
      requireRenamable(current, change);
      if (!this.#atomic) await turn();
      return this.#set(current.slot, change);
    });
  }

  async grow({ slot }: Volume, sizeBytes: number): Promise<Volume> {
    return await this.#plan.run("grow", () => {
      const current = this.#demand(slot);
      if (sizeBytes <= current.sizeBytes) return current;
      this.#reserve(sizeBytes - current.sizeBytes, `expand volume "${slot}"`);
      this.putImage(slot, sizeBytes, this.#images.get(slot)?.parent);
      const entry = this.#entries.get(slot);
      if (entry) entry.sizeBytes = sizeBytes;
      return this.#demand(slot);
    });
  }

  async delete(slot: Slot, volume: Volume | undefined): Promise<void> {
    await this.#plan.run("delete", () => {
      const current = this.#find(slot);
      if (current !== undefined && current.comment !== volume?.comment)
        throw new DriverError(
          "operation-pending",
          `Cannot delete volume "${slot}": it has changed since it was read`,
        );
      this.#entries.delete(slot);
      this.#plan.failIf("delete", "midway");
      this.#images.delete(slot);
    });
  }

  #find(slot: Slot): Volume | undefined {
    const entry = this.#entries.get(slot);
    if (entry === undefined) return undefined;
    const volume = this.#owned(slot, entry);
    if (volume !== undefined) return volume;
    throw new DriverError(
      "failed-precondition",
      `Cannot use disk "${slot}": its comment "${entry.comment}" is not one of cluster "${this.#cluster}"`,
    );
  }

  #demand(slot: Slot): Volume {
    const volume = this.#find(slot);
    if (volume !== undefined) return volume;
    throw new DriverError("not-found", `Cannot find volume "${slot}": it has no entry`);
  }

  #owned(slot: Slot, { sizeBytes, comment, exported }: Entry): Volume | undefined {
    const tag = parseVolumeTag(comment);
    if (tag?.cluster !== this.#cluster) return undefined;
    return { slot, sizeBytes, comment, tag, layout: this.#layout, exported: { ...exported } };
  }

  #set(slot: Slot, { tag, exported }: VolumeChange): Volume {
    const entry = this.#entries.get(slot);
    if (entry !== undefined) {
      entry.comment = formatVolumeTag(tag);
      entry.exported = { ...entry.exported, ...exported };
    }
    return this.#demand(slot);
  }

  /** An image without an entry may be somebody's; a copy of the same origin was begun by an earlier try. */
  #requireFree({ slot, origin }: NewVolume): void {
    const image = this.#images.get(slot);
    if (image === undefined) return;
    if (origin !== undefined && image.parent === sourceOf(origin)) return;
    throw new DriverError(
      "failed-precondition",
      `Cannot create volume "${slot}": an image without an entry is in the way`,
    );
  }

  #sizeOf(origin: Origin, slot: Slot): number {
    const bytes =
      origin.type === "snapshot"
        ? this.snapshots.intact(origin.leaf)?.leaf.sizeBytes
        : this.#images.get(origin.slot)?.sizeBytes;
    if (bytes !== undefined) return bytes;
    throw new DriverError(
      "not-found",
      `Cannot create volume "${slot}": "${sourceOf(origin)}" is not there`,
    );
  }

  #reserve(bytes: number, act: string): void {
    const { freeBytes } = this.#pool();
    if (bytes > freeBytes)
      throw new DriverError("resource-exhausted", `Cannot ${act}: ${freeBytes} bytes are free`);
  }

  #pool(): Pool {
    const freeBytes = this.#poolBytes - this.otherBytes - this.#imageBytes();
    return { mountPoint: "pool", layout: this.#layout, sizeBytes: this.#poolBytes, freeBytes };
  }

  #imageBytes(): number {
    return [...this.#images.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}

/** RouterOS takes a new NQN only while the export is off. */
function requireRenamable(
  { slot, exported: { enabled, nqn } }: Volume,
  change: VolumeChange,
): void {
  const next = change.exported;
  if (!next?.enabled || !enabled || next.nqn === nqn) return;
  throw new DriverError(
    "failed-precondition",
    `Cannot export volume "${slot}" as "${next.nqn}": it is exported as "${nqn}"`,
  );
}
