/** Which part of a list is wanted. */
export interface Page {
  /** What has ids behind this one; something that was deleted since keeps its place. */
  readonly after: string;
  /** 0 = all. */
  readonly maxEntries: number;
}

export interface Paged<T> {
  readonly entries: readonly T[];
  /** Nothing comes behind it. */
  readonly complete: boolean;
}

/** The entries of one page, ordered by id. */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  { after, maxEntries }: Page,
): Paged<T> {
  const behind = all.filter(({ id }) => id > after);
  const entries = behind.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const end = maxEntries === 0 ? entries.length : maxEntries;
  return { entries: entries.slice(0, end), complete: end >= entries.length };
}
