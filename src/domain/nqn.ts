import type { Slot } from "./volume-id.ts";

/** NVMe Qualified Name of a subsystem. At most 223 bytes (NVMe Base 2.0, "NVMe Qualified Names"). */
export type Nqn = string & { readonly __brand: "Nqn" };

/** One attachment period of a volume: the fence (docs/architecture.md, "Fencing by the target"). */
export interface Epoch {
  /** Counts up by one with each new epoch of a volume. */
  readonly counter: number;
  /** Eight random characters, so that of two controllers that raced one has named nothing. */
  readonly nonce: string;
}

/** RouterOS' own prefix, with the epoch behind the slot: an old epoch's name leads nowhere. */
export function nqnFor(slot: Slot, { counter, nonce }: Epoch): Nqn {
  return `${prefixOf(slot)}${counter}-${nonce}` as Nqn;
}

/** Whether an NQN is one of those that `nqnFor` makes for this slot. */
export function isNqnOf(nqn: Nqn, slot: Slot): boolean {
  const prefix = prefixOf(slot);
  return nqn.startsWith(prefix) && /^\d+-[a-z0-9]{8}$/.test(nqn.slice(prefix.length));
}

function prefixOf(slot: Slot): string {
  return `nqn.2000-02.com.mikrotik:${slot}.`;
}

/** Whether `text` is an NQN that is safe to use as a file name and as a command argument. */
export function isNqn(text: string): text is Nqn {
  return /^nqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9.:_-]+$/.test(text) && text.length <= 223;
}
