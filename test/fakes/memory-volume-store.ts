import { DriverError } from "#domain/errors.ts";
import type { NewVolume, VolumeChange, VolumeStore } from "#domain/ports/volume-store.ts";
import type { ExportState, Pool, Survey, Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import { formatVolumeTag, parseVolumeTag } from "#domain/volume-tag.ts";
import { TiB } from "#lib/bytes.ts";

export interface MemoryVolumeStoreOptions {
  readonly cluster?: string;
  readonly poolBytes?: number;
  /**
   * `false`: two changes that compare at the same moment both set, as RouterOS may do because it does not
   * promise that find and set are one step.
   */
  readonly atomic?: boolean;
}

/** A `/disk` entry: what the appliance keeps, the comment as text. */
interface Entry {
  sizeBytes: number;
  comment: string;
  exported: ExportState;
}

/** How the next call of a method fails: without effect, or after it; a delete also between entry and image. */
export interface Fault {
  readonly method: keyof VolumeStore;
  readonly when: "before" | "midway" | "after";
  readonly error: DriverError;
}

/** One appliance in memory. Every call takes a turn of the event loop, so that calls can overtake each other. */
export class MemoryVolumeStore implements VolumeStore {
  /** The calls that arrived, for budgets of round trips. */
  readonly calls: (keyof VolumeStore)[] = [];
  /** Bytes on the pool that are no image of a volume. */
  otherBytes = 0;
  readonly #cluster: string;
  readonly #poolBytes: number;
  readonly #atomic: boolean;
  readonly #entries = new Map<Slot, Entry>();
  readonly #images = new Map<Slot, number>();
  readonly #faults: Fault[] = [];
  readonly #overtakers: { method: keyof VolumeStore; act: () => Promise<unknown> }[] = [];

  constructor({ cluster = "lab", poolBytes = TiB, atomic = true }: MemoryVolumeStoreOptions = {}) {
    this.#cluster = cluster;
    this.#poolBytes = poolBytes;
    this.#atomic = atomic;
  }

  /** An entry that somebody made by hand, or in another cluster. */
  putEntry(slot: Slot, comment: string, { enabled = false, nqn = "", port = 4420 } = {}): void {
    const sizeBytes = this.#images.get(slot) ?? 0;
    this.#entries.set(slot, { sizeBytes, comment, exported: { enabled, nqn, port } });
  }

  /** An image without an entry, or one for an entry that is put next. */
  putImage(slot: Slot, sizeBytes: number): void {
    this.#images.set(slot, sizeBytes);
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

  failNext(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Lets somebody else act right before the next call of `method` takes effect. */
  overtakeNext(method: keyof VolumeStore, act: () => Promise<unknown>): void {
    this.#overtakers.push({ method, act });
  }

  async find(slot: Slot): Promise<Volume | undefined> {
    return await this.#call("find", () => this.#find(slot));
  }

  async survey(): Promise<Survey> {
    return await this.#call("survey", () => ({
      volumes: [...this.#entries].flatMap(([slot, entry]) => this.#owned(slot, entry) ?? []),
      pool: this.#pool(),
      provisionedBytes: this.#imageBytes(),
    }));
  }

  async create({ slot, sizeBytes, tag }: NewVolume): Promise<Volume> {
    return await this.#call("create", () => {
      const existing = this.#find(slot);
      if (existing !== undefined) return existing;
      if (this.#images.has(slot))
        throw new DriverError(
          "failed-precondition",
          `Cannot create volume "${slot}": an image without an entry is in the way`,
        );
      this.#reserve(sizeBytes, `create volume "${slot}"`);
      this.putImage(slot, sizeBytes);
      this.putEntry(slot, formatVolumeTag(tag));
      return this.#demand(slot);
    });
  }

  async change(volume: Volume, change: VolumeChange): Promise<Volume | undefined> {
    return await this.#call("change", async () => {
      const current = this.#find(volume.slot);
      if (current?.comment !== volume.comment) return undefined;
      requireRenamable(current, change);
      if (!this.#atomic) await turn();
      return this.#set(current.slot, change);
    });
  }

  async grow({ slot }: Volume, sizeBytes: number): Promise<Volume> {
    return await this.#call("grow", () => {
      const current = this.#demand(slot);
      if (sizeBytes <= current.sizeBytes) return current;
      this.#reserve(sizeBytes - current.sizeBytes, `expand volume "${slot}"`);
      this.#images.set(slot, sizeBytes);
      const entry = this.#entries.get(slot);
      if (entry) entry.sizeBytes = sizeBytes;
      return this.#demand(slot);
    });
  }

  async delete(slot: Slot, volume: Volume | undefined): Promise<void> {
    await this.#call("delete", () => {
      const current = this.#find(slot);
      if (current !== undefined && current.comment !== volume?.comment)
        throw new DriverError(
          "operation-pending",
          `Cannot delete volume "${slot}": it has changed since it was read`,
        );
      this.#entries.delete(slot);
      this.#failIf("delete", "midway");
      this.#images.delete(slot);
    });
  }

  async #call<T>(method: keyof VolumeStore, effect: () => T | Promise<T>): Promise<T> {
    this.calls.push(method);
    await turn();
    this.#failIf(method, "before");
    const overtaker = take(this.#overtakers, (next) => next.method === method);
    await overtaker?.act();
    const result = await effect();
    this.#failIf(method, "after");
    return result;
  }

  #failIf(method: keyof VolumeStore, when: Fault["when"]): void {
    const fault = take(this.#faults, (next) => next.method === method && next.when === when);
    if (fault) throw fault.error;
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
    return { slot, sizeBytes, comment, tag, layout: "subvolume", exported: { ...exported } };
  }

  #set(slot: Slot, { tag, exported }: VolumeChange): Volume {
    const entry = this.#entries.get(slot);
    if (entry !== undefined) {
      entry.comment = formatVolumeTag(tag);
      entry.exported = { ...entry.exported, ...exported };
    }
    return this.#demand(slot);
  }

  #reserve(bytes: number, act: string): void {
    const { freeBytes } = this.#pool();
    if (bytes > freeBytes)
      throw new DriverError("resource-exhausted", `Cannot ${act}: ${freeBytes} bytes are free`);
  }

  #pool(): Pool {
    const freeBytes = this.#poolBytes - this.otherBytes - this.#imageBytes();
    return { mountPoint: "pool", layout: "subvolume", sizeBytes: this.#poolBytes, freeBytes };
  }

  #imageBytes(): number {
    return [...this.#images.values()].reduce((sum, bytes) => sum + bytes, 0);
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

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function take<T>(list: T[], wanted: (item: T) => boolean): T | undefined {
  const index = list.findIndex(wanted);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}
