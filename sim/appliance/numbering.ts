/** What is numbered: disk items, subvolume items, file items, Btrfs trees and Btrfs transactions. */
export type Series = "disk" | "file" | "subvolume" | "tree" | "generation";

export type NumberingState = Readonly<Record<Series, number>>;

const first: NumberingState = { disk: 1, file: 1, subvolume: 1, tree: 256, generation: 7 };

/** Hands out numbers that are never used twice, also after a restart. */
export class Numbering {
  #next: Record<Series, number>;

  constructor(state: NumberingState = first) {
    this.#next = { ...state };
  }

  next(series: Series): number {
    const number = this.#next[series];
    this.#next[series] = number + 1;
    return number;
  }

  state(): NumberingState {
    return { ...this.#next };
  }
}

/** `*2B`, the form of item ids. */
export function itemId(number: number): string {
  return `*${number.toString(16).toUpperCase()}`;
}
