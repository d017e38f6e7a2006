import type { Call, CallResult, Menu, MenuCommand, Property } from "#sim/console/menu.ts";
import { Id } from "#sim/console/value.ts";
import { textOf } from "./argument-values.ts";
import { failure, noMatch } from "./failure.ts";
import { requireWritable, resolveTarget } from "./file-places.ts";
import { fileId, fileRows } from "./file-rows.ts";
import type { FileSystem } from "./file-system.ts";
import { type Entry, entriesBelow, pathOf } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { requireSpace } from "./space.ts";
import { isSince } from "./version.ts";

const properties: readonly Property[] = [
  { name: "name", kind: "word", brief: true },
  { name: "type", kind: "word", brief: true },
  { name: "size", kind: "file-size", brief: true },
  { name: "last-modified", kind: "word", brief: true },
  { name: "contents", kind: "string", brief: false },
];

/** `/file`. Names have no leading slash here, though commands take one. */
export function fileMenu(machine: Machine): Menu {
  const { version } = machine;
  const commands = new Map<string, MenuCommand>([
    [
      "add",
      command(["name", "type", "contents"], (call) => machine.change(() => add(call, machine))),
    ],
    ["set", itemCommand(["contents"], (call) => setContents(call, machine))],
    ["remove", itemCommand([], (call) => removeFiles(call, machine))],
  ]);
  if (isSince(version, 23))
    commands.set(
      "copy",
      itemCommand(["name"], (call) => copyFile(call, machine)),
    );
  return {
    path: "/file",
    singleton: false,
    properties,
    flags: [],
    printArguments: new Set(isSince(version, 18) ? ["path", "recursive", "relative"] : []),
    rows: (print) => fileRows(machine, print),
    commands,
  };
}

async function add(call: Call, machine: Machine): Promise<CallResult> {
  const name = textOf("name", call.arguments.get("name"));
  const type = textOf("type", call.arguments.get("type") ?? "file");
  const contents = textOf("contents", call.arguments.get("contents") ?? "");
  if (type !== "file" && type !== "directory") throw noMatch("type");
  const target = await resolveTarget(name, "fail", machine);
  if (target.existing !== undefined) throw failure("already have such entry");
  requireWritable(target.parent);
  if (type === "directory") {
    await machine.backEnd.files.makeDirectory(target.path);
    return { value: new Id(fileId(target.fileSystem.createDirectory(target))) };
  }
  const bytes = Buffer.byteLength(contents);
  await requireSpace(target.fileSystem, bytes, machine);
  await machine.backEnd.files.writeText(target.path, contents);
  return { value: new Id(fileId(target.fileSystem.createFile(target, bytes, contents))) };
}

function setContents(call: Call, machine: Machine): Promise<CallResult> {
  const contents = textOf("contents", call.arguments.get("contents"));
  return forEachEntry(call, machine, async (entry, fileSystem) => {
    if (entry.kind !== "file") throw failure(`"${pathOf(entry)}" is a directory`);
    if (machine.disks.withFile(pathOf(entry)) !== undefined)
      throw failure(`"${pathOf(entry)}" is in use by a disk`);
    requireWritable(entry.parent);
    await machine.backEnd.files.writeText(pathOf(entry), contents);
    fileSystem.truncate(entry, Buffer.byteLength(contents), contents);
  });
}

/** Deletes backing files of disks, too: nothing on a device is known to prevent it. */
function removeFiles(call: Call, machine: Machine): Promise<CallResult> {
  return forEachEntry(call, machine, async (entry, fileSystem) => {
    if (entry.parent === undefined) throw failure(`"${entry.name}" is a mount point`);
    requireWritable(entry.parent);
    if (entry.kind === "directory" && entry.children.size > 0)
      requireRemovableTree(pathOf(entry), machine);
    const below = entry.kind === "directory" ? [...entriesBelow(entry)].reverse() : [];
    for (const { path } of [...below, entry]
      .filter(isSubvolume)
      .map((at) => ({ path: pathOf(at) })))
      await machine.backEnd.subvolumes.remove(path);
    if (!isSubvolume(entry)) await machine.backEnd.files.remove(pathOf(entry));
    fileSystem.remove(entry);
  });
}

function requireRemovableTree(path: string, machine: Machine): void {
  if (machine.switches.get("directory-remove") === "recursive") return;
  throw failure(`directory "${path}" is not empty`);
}

function copyFile(call: Call, machine: Machine): Promise<CallResult> {
  const name = textOf("name", call.arguments.get("name"));
  return forEachEntry(call, machine, async (entry) => {
    const target = await resolveTarget(name, "fail", machine);
    if (target.existing !== undefined) throw failure("already have such entry");
    requireWritable(target.parent);
    const files = entry.kind === "file" ? [entry] : [...entriesBelow(entry)];
    const bytes = files.reduce((sum, file) => sum + (file.kind === "file" ? file.size : 0), 0);
    await requireSpace(target.fileSystem, bytes, machine);
    await machine.backEnd.files.copy(pathOf(entry), target.path);
    target.fileSystem.copy(entry, target);
  });
}

async function forEachEntry(
  call: Call,
  machine: Machine,
  act: (entry: Entry, fileSystem: FileSystem) => Promise<void>,
): Promise<CallResult> {
  await machine.change(async () => {
    for (const id of call.ids) {
      const found = findById(id, machine);
      if (found !== undefined) await act(found.entry, found.fileSystem);
    }
  });
  return {};
}

function findById(id: string, machine: Machine) {
  for (const fileSystem of machine.fileSystems.values()) {
    if (fileId(fileSystem.root) === id) return { entry: fileSystem.root, fileSystem };
    for (const entry of entriesBelow(fileSystem.root))
      if (fileId(entry) === id) return { entry, fileSystem };
  }
  return undefined;
}

function isSubvolume(entry: Entry): boolean {
  return entry.kind === "directory" && entry.subvolume !== undefined;
}

function command(names: readonly string[], run: MenuCommand["run"]): MenuCommand {
  return { takesItems: false, arguments: new Set(names), run };
}

function itemCommand(names: readonly string[], run: MenuCommand["run"]): MenuCommand {
  return { takesItems: true, arguments: new Set(names), run };
}
