import type { Row } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { booleanOf, textOf } from "./argument-values.ts";
import { type Directory, type Entry, entriesBelow, pathOf } from "./file-tree.ts";
import { localTime } from "./local-time.ts";
import type { Machine } from "./machine.ts";
import { canonicalPath } from "./paths.ts";

/** Contents of larger files are not printed (RouterOS manual, "Files"). */
const contentsLimit = 60 * 1024;

/**
 * The rows of `/file`: everything on every mounted file system, or what is in the directory `path=`,
 * with `recursive=yes` everything below it, with `relative=yes` by names relative to it.
 */
export function fileRows(
  machine: Machine,
  print: ReadonlyMap<string, Value> = new Map(),
): readonly Row[] {
  const rows = rowsIn(machine.names.timeZone);
  const given = print.get("path");
  const roots = [...machine.fileSystems.values()].map(({ root }) => root);
  if (given === undefined)
    return roots.flatMap((root) => [...rows([root]), ...rows(entriesBelow(root))]);
  const path = canonicalPath(textOf("path", given));
  const directory = path === undefined ? undefined : directoryAt(path, machine);
  if (path === undefined) return rows(roots);
  if (directory === undefined) return [];
  const recursive = booleanOf("recursive", print.get("recursive") ?? "no");
  const relative = booleanOf("relative", print.get("relative") ?? "no");
  const entries = recursive ? entriesBelow(directory) : directory.children.values();
  return rows(entries, relative ? path.length + 1 : 0);
}

/** Opaque, as on a device. */
export function fileId(entry: Entry): string {
  return `**i${entry.number.toString(36)}`;
}

function directoryAt(path: string, machine: Machine): Directory | undefined {
  const entry = machine.fileSystems.get(path.split("/", 1)[0] ?? "")?.find(path);
  return entry?.kind === "directory" ? entry : undefined;
}

/** @returns a function that makes rows, with so many characters of the names left out. */
function rowsIn(zone: string): (entries: Iterable<Entry>, dropped?: number) => Row[] {
  return (entries, dropped = 0) => [...entries].map((entry) => rowOf(entry, dropped, zone));
}

function rowOf(entry: Entry, dropped: number, zone: string): Row {
  const values = new Map<string, Value>([
    ["name", pathOf(entry).slice(dropped)],
    ["type", typeOf(entry)],
    ["last-modified", localTime(entry.modified, zone)],
  ]);
  if (entry.kind === "file") {
    values.set("size", entry.size);
    if (entry.contents !== undefined && entry.size <= contentsLimit)
      values.set("contents", entry.contents);
  }
  return { id: fileId(entry), values };
}

/** `disk` for a mount point, `.img file` by the ending of the name. */
function typeOf(entry: Entry): string {
  if (entry.kind === "directory") return entry.parent === undefined ? "disk" : "directory";
  const ending = /\.[^.]+$/.exec(entry.name)?.[0];
  return ending === undefined ? "file" : `${ending} file`;
}
