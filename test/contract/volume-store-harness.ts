import type { VolumeStore } from "#domain/ports/volume-store.ts";
import type { Slot } from "#domain/volume-id.ts";

/** A store under test, and a hand that reaches past it. */
export interface VolumeStoreHarness extends AsyncDisposable {
  readonly store: VolumeStore;
  /** The same appliance as another controller sees it. */
  readonly rival: VolumeStore;
  readonly cluster: string;
  /** An entry with an image of 1 MiB, made by somebody else. */
  putEntry(slot: Slot, comment: string): Promise<void>;
  /** An image of 1 MiB without an entry, where that of `slot` would be. */
  putImage(slot: Slot): Promise<void>;
  hasImage(slot: Slot): Promise<boolean>;
  commentOf(slot: Slot): Promise<string | undefined>;
  /** Takes all space of the pool but so much. */
  leaveFree(bytes: number): Promise<void>;
}
