import type { Nqn } from "#domain/nqn.ts";
import type { Attachment } from "#domain/ports/attachment-check.ts";
import type { Connection } from "#domain/ports/connections.ts";
import { nothingYet, type Past } from "./sight.ts";

const minuteMs = 60_000;

/** What the loop remembers of one volume, in memory only: after a restart, its record and a look tell all that matters. */
export class Watched {
  readonly volumeId: string;
  readonly nqn: Nqn;
  /** As the connection was when all was well; seeing it again means that nothing has happened. */
  settled: Connection | undefined;
  /** What was to be told of it then. */
  told: string | undefined;
  /** As it was at the last look of an incident. */
  lastSeen: string | undefined;
  /** Not to be looked at before, unless the connection changes. Like all times here but one, of the clock that nobody sets. */
  dueAt = 0;
  /** A step is under way. */
  isBusy = false;
  /** Start of the incident. */
  lostSince: number | undefined;
  past: Past = nothingYet;
  /** When failed paths were let try again. */
  reinstatedAt: readonly number[] = [];
  refusedAt = 0;
  /** The device that last answered a direct read in this incident. */
  answered: { readonly majorMinor: string; readonly at: number } | undefined;
  /** Since when the same connection may have been live; only in an incident. */
  liveSince: number | undefined;
  /** When its connection was last made anew because nothing answered. */
  madeAnewAt = Number.NEGATIVE_INFINITY;
  /** When an error that was no outage was last passed on. */
  passedErrorsAt: Date | undefined;
  attachment: Attachment | undefined;
  askAttachmentAt = 0;
  /** Controllers when it was last looked at. */
  paths: number | undefined;
  /** Addresses without a controller are tried again then, and how long after that. */
  thin: { readonly dueAt: number; readonly pauseMs: number } | undefined;
  /** What was logged last of each kind, so that what repeats is logged once. */
  decided = "";
  failure = "";
  /** Why the last step failed, while the same one is to be tried again. */
  obstacle: string | undefined;

  constructor({ volumeId, nqn }: Pick<Watched, "volumeId" | "nqn">) {
    this.volumeId = volumeId;
    this.nqn = nqn;
  }

  get isLost(): boolean {
    return this.lostSince !== undefined;
  }

  /** @returns whether an incident begins with this. */
  begin(now: number): boolean {
    if (this.lostSince !== undefined) return false;
    this.lostSince = now;
    this.past = nothingYet;
    this.answered = undefined;
    this.liveSince = undefined;
    this.attachment = undefined;
    this.askAttachmentAt = now;
    this.decided = "";
    this.failure = "";
    return true;
  }

  /** @param told - What is told of it from now on. */
  end(connection: Connection, told: string): void {
    this.settled = connection;
    this.told = told;
    this.lostSince = undefined;
    this.past = nothingYet;
  }

  countReset(now: number): void {
    this.past = { ...this.past, resets: this.past.resets + 1 };
    this.madeAnewAt = now;
    this.liveSince = undefined;
  }

  /** Failed paths of a connection that was lost meanwhile say nothing about the disk. */
  countReinstated(now: number, isLive: boolean): number {
    this.reinstatedAt = isLive ? this.reinstatedAt.filter((at) => now - at < minuteMs) : [];
    return this.reinstatedAt.length;
  }
}

/** Whether nothing that matters has changed. */
export function isSame(one: Connection, other: Connection | undefined): boolean {
  return other !== undefined && keyOf(one) === keyOf(other);
}

/** Changes with everything that matters of a connection. */
export function keyOf({ state, device, laggard }: Connection): string {
  return [state, device?.majorMinor, device?.sizeBytes, device?.identity, laggard].join();
}
