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
  readonly pv: string | undefined;
  /** Text form of the snapshot or volume id this volume was made from. */
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
  readonly node: string;
  /** Seconds since the Unix epoch. */
  readonly at: number;
}

/** RouterOS comments of this length were seen; longer ones were not tried. */
const maxCommentBytes = 255;

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
    ["pv", tag.pv],
    ["from", tag.source],
    ["pvc", tag.pvc],
  ];
}

/**
 * The comment for `tag`, at most 255 bytes; `pvc` goes first when it is too long, then `pv`.
 * @throws {DriverError} `resource-exhausted` when the node names alone are too long.
 */
export function formatVolumeTag(tag: VolumeTag): string {
  const attempts = [tag, { ...tag, pvc: undefined }, { ...tag, pvc: undefined, pv: undefined }];
  for (const attempt of attempts) {
    const present = words(attempt).filter(([, value]) => value !== undefined);
    const comment = present.map(([key, value]) => `${key}=${value}`).join(" ");
    if (Buffer.byteLength(comment) <= maxCommentBytes) return comment;
  }
  const count = tag.attachment?.nodes.length ?? 0;
  throw new DriverError(
    "resource-exhausted",
    `Cannot record ${count} attached nodes: their names exceed the ${maxCommentBytes} bytes of a RouterOS comment`,
  );
}

/** Reads a comment; `undefined` when it is not one of ours, or one that was edited beyond reading. */
export function parseVolumeTag(comment: string): VolumeTag | undefined {
  const found = new Map(comment.split(" ").map(splitWord));
  const cluster = found.get("cluster");
  const revision = wholeNumber(found.get("rev"));
  if (found.get("rds-csi") !== "1" || !cluster || revision === undefined) return undefined;
  const attachment = parseAttachment(found);
  if (attachment === "unreadable") return undefined;
  return {
    cluster,
    revision,
    attachment,
    epoch: parseEpoch(found.get("epoch")),
    departure: parseDeparture(found.get("left")),
    pv: found.get("pv"),
    source: found.get("from"),
    pvc: found.get("pvc"),
  };
}

function splitWord(word: string): [string, string] {
  const at = word.indexOf("=");
  return at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A half-readable attachment must never look like none: nobody may be handed the volume then. */
function parseAttachment(
  found: ReadonlyMap<string, string>,
): Attachment | undefined | "unreadable" {
  const nodes = found
    .get("nodes")
    ?.split(",")
    .filter((node) => node !== "");
  if (nodes === undefined) return undefined;
  const mode = accessModeFromWord(found.get("mode") ?? "");
  const since = wholeNumber(found.get("since"));
  if (nodes.length === 0 || mode === undefined || since === undefined) return "unreadable";
  return { nodes, mode, since };
}

function parseEpoch(text: string | undefined): Epoch | undefined {
  const [, counter, nonce] = /^(\d{1,15})\.([a-z0-9]+)$/.exec(text ?? "") ?? [];
  return counter && nonce ? { counter: Number(counter), nonce } : undefined;
}

function parseDeparture(text: string | undefined): Departure | undefined {
  const [, at, node] = /^(\d{1,15})\.(.+)$/.exec(text ?? "") ?? [];
  return at && node ? { at: Number(at), node } : undefined;
}
