/**
 * The form in which `/file` prints names: no leading slash, single slashes. `/disk` prints the same
 * path with a leading slash. `undefined` for a path that is empty or climbs.
 */
export function canonicalPath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.some((part) => part === "." || part === "..")) return undefined;
  return parts.join("/");
}

/** `a/b` and `c` of `a/b/c`; the parent of a single component is the empty string. */
export function splitPath(path: string): { readonly parent: string; readonly leaf: string } {
  const slash = path.lastIndexOf("/");
  return { parent: path.slice(0, Math.max(slash, 0)), leaf: path.slice(slash + 1) };
}
