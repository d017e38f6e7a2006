import { type AccessMode, accessModeFromWord, accessModes } from "./access-mode.ts";
import { DriverError } from "./errors.ts";
import type { Epoch } from "./nqn.ts";

/** What the driver remembers about a volume: short words in the comment of its `/disk` entry. */
export interface VolumeTag {
  readonly cluster: string;
  /** Counts every change; the compare-and-set of attachments names the revision it read. */
  readonly revision: number;
  readonly attachment: Attachment | undefined;
  /** The last epoch made for this volume; its NQN stays set while nobody is attached. */
  readonly epoch: Epoch | undefined;
  /** Who left last, so that the fence can settle before another node gets the volume. */
  readonly departure: Departure | undefined;
  /** Its export was taken off because the pool ran full, and comes back with room; it stays attached meanwhile. */
  readonly halted: boolean;
  readonly pv: string | undefined;
  /** What this volume was made from, as `sourceOf()` an origin gives it; `undefined` = it was blank. */
  readonly source: string | undefined;
  /** `<namespace>/<name>`; the first word to go when the comment gets too long. */
  readonly pvc: string | undefined;
}

export interface Attachment {
  /** Never empty, no duplicates, in order of arrival. */
  readonly nodes: readonly string[];
  readonly mode: AccessMode;
  /** Seconds since the Unix epoch at which the last node came. */
  readonly since: number;
}

export interface Departure {
  /** Who left, or `severalNodes`. */
  readonly node: string;
  /** Seconds since the Unix epoch. */
  readonly at: number;
}

/** Stands for several nodes that left, or for one whose name is too long to keep: no node bears it. */
export const severalNodes = "*";

/** RouterOS comments of this length were seen; longer ones were not tried. */
const maxCommentBytes = 255;
/** Of a volume that can be halted at any time: its comment must not lose a word by that. */
const haltWord = " halted=1";
/** What the first of several nodes that leaves adds: it must be able to. */
const departureWord = " left=1234567890.*";

const ourWords = "rds-csi cluster rev nodes mode since epoch left halted pv from pvc".split(" ");

/** The words of a tag in the order in which a person reads them in WinBox. */
function words(tag: VolumeTag): [string, string | undefined][] {
  const { attachment, epoch, departure } = tag;
  return [
    ["rds-csi", "1"],
    ["cluster", tag.cluster],
    ["rev", String(tag.revision)],
    ["nodes", attachment?.nodes.join(",")],
    ["mode", attachment && accessModes[attachment.mode].word],
    ["since", attachment && String(attachment.since)],
    ["epoch", epoch && `${epoch.counter}.${epoch.nonce}`],
    ["left", departure && `${departure.at}.${departure.node}`],
    ["halted", tag.halted ? "1" : undefined],
    ["pv", tag.pv],
    ["from", tag.source],
    ["pvc", tag.pvc],
  ];
}

/**
 * The comment for `tag`, at most 255 bytes with the mark of a halt and, for several nodes, the first one's leaving; when it is too long `pvc` goes first, then `pv`, then the name
 * of the node that left.
 * @throws {DriverError} `resource-exhausted` when the node names alone are too long; `invalid-argument` for
 * a value with a blank, which would read as a word of its own.
 */
export function formatVolumeTag(tag: VolumeTag): string {
  const short = { ...tag, pvc: undefined, pv: undefined };
  const departure = tag.departure && { ...tag.departure, node: severalNodes };
  const mayLeave = tag.departure === undefined && (tag.attachment?.nodes.length ?? 0) > 1;
  const reserve = (tag.halted ? 0 : haltWord.length) + (mayLeave ? departureWord.length : 0);
  const room = maxCommentBytes - reserve;
  for (const attempt of [tag, { ...tag, pvc: undefined }, short, { ...short, departure }]) {
    const comment = words(attempt).flatMap(joinWord).join(" ");
    if (comment.length <= room) return comment;
  }
  throw new DriverError(
    "resource-exhausted",
    `Cannot record nodes "${tag.attachment?.nodes.join(", ")}" as attached: the names exceed the ${maxCommentBytes} bytes of a RouterOS comment`,
  );
}

function joinWord([key, value]: readonly [string, string | undefined]): string[] {
  if (value === undefined) return [];
  if (/^[\x21-\x7e]+$/.test(value)) return [`${key}=${value}`];
  throw new DriverError(
    "invalid-argument",
    `Cannot record ${key}="${value}" in a volume's comment: only visible ASCII characters fit`,
  );
}

/**
 * Reads a comment; words it does not know are passed over.
 * @returns `undefined` when it is not one of ours, or was edited beyond reading: a half-readable attachment
 * or departure must never look like none, because the volume would be handed to somebody else.
 */
export function parseVolumeTag(comment: string): VolumeTag | undefined {
  const found = new Map<string, string>();
  for (const [key, value] of comment.split(" ").map(splitWord)) {
    if (found.has(key) && ourWords.includes(key)) return undefined;
    found.set(key, value);
  }
  const cluster = found.get("cluster");
  const revision = wholeNumber(found.get("rev"));
  if (found.get("rds-csi") !== "1" || !cluster || revision === undefined) return undefined;
  const state = parseState(found);
  if (state === undefined) return undefined;
  const [pv, source, pvc] = [found.get("pv"), found.get("from"), found.get("pvc")];
  return { cluster, revision, ...state, pv, source, pvc };
}

type State = Pick<VolumeTag, "attachment" | "epoch" | "departure" | "halted">;

/** The words that decide who may write: all of them readable, or nothing. */
function parseState(found: ReadonlyMap<string, string>): State | undefined {
  const attachment = parseAttachment(found);
  const epoch = parseEpoch(found.get("epoch"));
  const departure = parseDeparture(found.get("left"));
  const halted = found.get("halted") === "1";
  const unreadable =
    (attachment === undefined && ["nodes", "mode", "since"].some((key) => found.has(key))) ||
    (epoch === undefined && found.has("epoch")) ||
    (departure === undefined && found.has("left")) ||
    (!halted && found.has("halted"));
  return unreadable ? undefined : { attachment, epoch, departure, halted };
}

function splitWord(word: string): [string, string] {
  const at = word.indexOf("=");
  return at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function parseAttachment(found: ReadonlyMap<string, string>): Attachment | undefined {
  const nodes = (found.get("nodes") ?? "").split(",").filter((node) => node !== "");
  const mode = accessModeFromWord(found.get("mode") ?? "");
  const since = wholeNumber(found.get("since"));
  if (nodes.length === 0 || mode === undefined || since === undefined) return undefined;
  return { nodes: [...new Set(nodes)], mode, since };
}

function parseEpoch(text: string | undefined): Epoch | undefined {
  const [, counter, nonce] = /^(\d{1,15})\.([a-z0-9]+)$/.exec(text ?? "") ?? [];
  return counter && nonce ? { counter: Number(counter), nonce } : undefined;
}

function parseDeparture(text: string | undefined): Departure | undefined {
  const [, at, node] = /^(\d{1,15})\.(.+)$/.exec(text ?? "") ?? [];
  return at && node ? { at: Number(at), node } : undefined;
}
