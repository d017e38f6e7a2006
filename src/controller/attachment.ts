import type { AccessMode } from "#domain/access-mode.ts";
import type { Epoch } from "#domain/nqn.ts";
import { type Departure, severalNodes, type VolumeTag } from "#domain/volume-tag.ts";

/** A node comes. */
export interface Arrival {
  readonly node: string;
  readonly mode: AccessMode;
  /** Milliseconds since the Unix epoch, as everywhere in this file. */
  readonly now: number;
}

/** The first node comes. Who left before has nothing to do with the new epoch. */
export function beginEpoch(tag: VolumeTag, arrival: Arrival, nonce: string): VolumeTag {
  const { node, mode, now } = arrival;
  const epoch: Epoch = { counter: (tag.epoch?.counter ?? 0) + 1, nonce };
  const attachment = { nodes: [node], mode, since: Math.floor(now / 1_000) };
  return { ...next(tag), attachment, epoch, departure: undefined };
}

/** One more node comes, and the time of sharing begins. */
export function join(tag: VolumeTag, { node, mode, now }: Arrival): VolumeTag {
  const nodes = [...(tag.attachment?.nodes ?? []), node];
  return { ...next(tag), attachment: { nodes, mode, since: Math.floor(now / 1_000) } };
}

/** Some or all nodes leave; the epoch stays on record. */
export function leave(tag: VolumeTag, leaving: readonly string[], now: number): VolumeTag {
  const { attachment } = tag;
  const staying = attachment?.nodes.filter((node) => !leaving.includes(node)) ?? [];
  const remaining =
    attachment && staying.length > 0 ? { ...attachment, nodes: staying } : undefined;
  const halted = tag.halted && remaining !== undefined;
  return { ...next(tag), attachment: remaining, departure: departureOf(tag, leaving, now), halted };
}

/** Nobody is on record, yet the volume was exported: whoever used it has been cut off now. */
export function cutUnknown(tag: VolumeTag, now: number): VolumeTag {
  return { ...next(tag), departure: { node: severalNodes, at: roundedUp(now) } };
}

/**
 * Nobody leaves. A change that was sent before, given up on and comes late finds another revision, and the rest until
 * another node may have the volume begins anew.
 */
export function renewed(tag: VolumeTag, now: number): VolumeTag {
  const { departure } = tag;
  return { ...next(tag), departure: departure && { ...departure, at: roundedUp(now) } };
}

/** The nodes stay, and wait: their export goes off, to come back under the same name. */
export function halt(tag: VolumeTag): VolumeTag {
  return { ...next(tag), halted: true };
}

/** The end of a halt. */
export function resume(tag: VolumeTag): VolumeTag {
  return { ...next(tag), halted: false };
}

/** The same tag in a new revision, so that nobody else's change to the old one succeeds. */
export function next(tag: VolumeTag): VolumeTag {
  return { ...tag, revision: tag.revision + 1 };
}

/**
 * Milliseconds until the volume may be handed to `node`: the target may still be writing what it had
 * accepted from another one. A clock that was wrong delays nobody for longer than `settleMs`.
 */
export function settlingTime(
  departure: Departure | undefined,
  { node, now }: Pick<Arrival, "node" | "now">,
  settleMs: number,
): number {
  if (departure === undefined || departure.node === node) return 0;
  return Math.min(Math.max(departure.at * 1_000 + settleMs - now, 0), settleMs);
}

/** Nodes that shared the epoch were all connected until its end: then there is no single one to excuse. */
function departureOf(tag: VolumeTag, leaving: readonly string[], now: number): Departure {
  const earlier = tag.departure === undefined ? [] : [tag.departure.node];
  const [node = severalNodes, ...others] = new Set([...leaving, ...earlier]);
  return { node: others.length > 0 ? severalNodes : node, at: roundedUp(now) };
}

/** In seconds; up, so that a wait is never too short. */
function roundedUp(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
