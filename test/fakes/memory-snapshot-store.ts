import { DriverError } from "#domain/errors.ts";
import type { SnapshotStore } from "#domain/ports/snapshot-store.ts";
import type { Snapshot } from "#domain/snapshot.ts";
import { formatSnapshotLeaf, type SnapshotKey, type SnapshotLeaf } from "#domain/snapshot-id.ts";
import type { Volume } from "#domain/volume.ts";
import type { Slot } from "#domain/volume-id.ts";
import type { Clock } from "#lib/clock.ts";
import { CallPlan, type Fault } from "./call-plan.ts";

/** The snapshots of one appliance in memory. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #volume: (slot: Slot) => Volume | undefined;
  readonly #clock: Clock;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #plan = new CallPlan<keyof SnapshotStore>();

  /** @param volume - a volume of the appliance as it is now. */
  constructor(volume: (slot: Slot) => Volume | undefined, clock: Clock) {
    this.#volume = volume;
    this.#clock = clock;
  }

  get calls(): readonly (keyof SnapshotStore)[] {
    return this.#plan.calls;
  }

  failNext(fault: Fault<keyof SnapshotStore>): void {
    this.#plan.failNext(fault);
  }

  /** One that an earlier life has left. */
  put(leaf: SnapshotLeaf, { createdAt = 0, intact = true } = {}): void {
    this.#snapshots.set(formatSnapshotLeaf(leaf), { leaf, createdAt, intact });
  }

  /** As it is now, without a call. */
  peek(leaf: SnapshotLeaf): Snapshot | undefined {
    return this.#snapshots.get(formatSnapshotLeaf(leaf));
  }

  intact(leaf: SnapshotLeaf): Snapshot | undefined {
    const snapshot = this.peek(leaf);
    return snapshot?.intact ? snapshot : undefined;
  }

  async list(): Promise<Snapshot[]> {
    return await this.#plan.run("list", () => [...this.#snapshots.values()]);
  }

  async find(key: SnapshotKey): Promise<Snapshot | undefined> {
    return await this.#plan.run("find", () => this.#find(key));
  }

  async take({ slot, sizeBytes }: Volume, key: SnapshotKey): Promise<Snapshot> {
    return await this.#plan.run("take", () => {
      const existing = this.#find(key);
      if (existing !== undefined) return existing;
      const now = this.#volume(slot);
      if (now?.sizeBytes !== sizeBytes)
        throw new DriverError(
          "operation-pending",
          `Cannot take snapshot "${key}": "${slot}" has changed`,
        );
      if (now.layout === "flat")
        throw new DriverError(
          "failed-precondition",
          `Cannot take snapshot "${key}": "${slot}" is flat`,
        );
      const leaf = { key, source: slot, sizeBytes };
      this.put(leaf, { createdAt: this.#clock.now().getTime() });
      return { leaf, createdAt: this.#clock.now().getTime(), intact: true };
    });
  }

  async remove(leaf: SnapshotLeaf): Promise<void> {
    await this.#plan.run("remove", () => {
      if (this.peek(leaf)?.intact === false)
        throw new DriverError(
          "failed-precondition",
          `Cannot delete snapshot "${leaf.key}": it is writable`,
        );
      this.#snapshots.delete(formatSnapshotLeaf(leaf));
    });
  }

  #find(key: SnapshotKey): Snapshot | undefined {
    return [...this.#snapshots.values()].find(({ leaf }) => leaf.key === key);
  }
}
