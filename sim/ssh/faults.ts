/**
 * When a fault strikes: `before` anything of the line is executed, `during` it (so many commands that change
 * something are executed, and what stands between them; the rest is not), or `after` all of it is.
 */
export type FaultMoment = "before" | "during" | "after";

/**
 * What the client notices: the connection breaks (`cut`), nothing ever comes (`hang`), stray text
 * before the output (`garbage`), half of the output (`truncate`), or a failure (`error`).
 */
export type FaultAction = "cut" | "hang" | "garbage" | "truncate" | "error";

export interface Fault {
  /** Tried against the whole command line. */
  readonly match: RegExp;
  readonly at: FaultMoment;
  readonly action: FaultAction;
  /** For `during`: behind how many of the line's changes; 0 = instead of the first. Default 1. */
  readonly changes?: number;
  /** How many lines it strikes; default 1. */
  readonly times?: number;
  /** The stray text of `garbage`, or the message of `error`. */
  readonly text?: string;
}

/** A fault that was added; to count and to take back. */
export interface ArmedFault {
  readonly struck: number;
  remove(): void;
}

interface Entry extends ArmedFault {
  readonly fault: Fault;
  left: number;
  struck: number;
}

/** Faults that wait for their line; of several that match the one added first strikes. */
export class Faults {
  readonly #entries: Entry[] = [];

  add(fault: Fault): ArmedFault {
    const entry: Entry = {
      fault,
      left: fault.times ?? 1,
      struck: 0,
      remove: () => {
        entry.left = 0;
      },
    };
    this.#entries.push(entry);
    return entry;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /**
   * The fault that strikes this line at this moment, if any; each call uses one of its times up.
   * @param changes - what the line has changed so far; counts for `during` only.
   */
  take(line: string, at: FaultMoment, changes = 1): Fault | undefined {
    const entry = this.#entries.find(
      ({ fault, left }) =>
        left > 0 &&
        fault.at === at &&
        (at !== "during" || (fault.changes ?? 1) === changes) &&
        line.search(fault.match) >= 0,
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    entry.struck += 1;
    return entry.fault;
  }
}
