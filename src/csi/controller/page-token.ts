import type { Page, Paged } from "#controller/page.ts";
import { DriverError } from "#domain/errors.ts";

/** Tokens name the last id of a page, so that things may come and go between two pages. */
const tokenPrefix = "after:";

/**
 * @param things - what is listed, for messages; `isId` says whether a text can be an id of it.
 * @throws {DriverError} naming the field that makes no sense.
 */
export function pageFrom(
  { maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string },
  { things, isId }: { readonly things: string; isId(text: string): boolean },
): Page {
  if (maxEntries < 0)
    throw new DriverError(
      "invalid-argument",
      `Cannot list ${things}: max_entries is ${maxEntries}, which is negative`,
    );
  if (startingToken === "") return { after: "", maxEntries };
  const after = startingToken.slice(tokenPrefix.length);
  if (startingToken.startsWith(tokenPrefix) && isId(after)) return { after, maxEntries };
  // The kind that becomes ABORTED, with which the CSI spec tells the CO to start over without a token.
  throw new DriverError(
    "operation-pending",
    `Cannot list ${things}: starting_token "${startingToken}" is not one of this driver`,
  );
}

/** Empty behind the last page. */
export function nextTokenOf({ entries, complete }: Paged<{ readonly id: string }>): string {
  const last = complete ? undefined : entries.at(-1);
  return last === undefined ? "" : `${tokenPrefix}${last.id}`;
}
