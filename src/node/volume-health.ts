/** What the watch loop last saw of a volume. */
export interface VolumeCondition {
  readonly state: VolumeState;
  /** One sentence for an operator. */
  readonly message: string;
  /** Why the last try to bring it back failed, to be told beside the message. */
  readonly obstacle?: string;
}

/**
 * `connected`: reads and writes go through. `doubtful`: they do, but writes that the appliance had acknowledged
 * may be gone. `damaged`: they do, but for blocks that the target cannot read or write. `waiting`: they wait for an
 * outage to end. `refused`: they wait, for what came back is not the volume. `failed`: its hold has ended, and they get
 * EIO. `stale`: pods keep a mount whose device is gone.
 */
export type VolumeState =
  | "connected"
  | "doubtful"
  | "damaged"
  | "waiting"
  | "refused"
  | "failed"
  | "stale";

/** Conditions by volume id: the watch loop writes them; statistics, metrics and events read them. */
export class VolumeHealth {
  readonly #conditions = new Map<string, VolumeCondition>();

  /** `undefined` for a volume that has not been looked at yet. */
  conditionOf(volumeId: string): VolumeCondition | undefined {
    return this.#conditions.get(volumeId);
  }

  report(volumeId: string, condition: VolumeCondition): void {
    this.#conditions.set(volumeId, condition);
  }

  /** The volume has left this node. */
  forget(volumeId: string): void {
    this.#conditions.delete(volumeId);
  }
}
