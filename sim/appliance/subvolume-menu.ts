import type { Call, CallResult, Menu, MenuCommand } from "#sim/console/menu.ts";
import { Id, type Value } from "#sim/console/value.ts";
import { booleanOf, textOf } from "./argument-values.ts";
import { backingPath } from "./disk.ts";
import { failure, ioctlFailure, noMatch } from "./failure.ts";
import { requireWritable, resolveTarget, type Target } from "./file-places.ts";
import type { FileSystem } from "./file-system.ts";
import { entriesBelow, pathOf } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { itemId } from "./numbering.ts";
import {
  isSubvolumeRoot,
  type SubvolumeDirectory,
  subvolumeFlags,
  subvolumeProperties,
  subvolumeRows,
} from "./subvolume-rows.ts";

/** `/disk/btrfs/subvolume`: a snapshot is a subvolume that is added with a parent. */
export function subvolumeMenu(machine: Machine): Menu {
  const change = (act: (call: Call) => Promise<CallResult>) => (call: Call) =>
    machine.change(() => act(call));
  return {
    path: "/disk/btrfs/subvolume",
    singleton: false,
    properties: subvolumeProperties,
    flags: subvolumeFlags,
    rows: () => subvolumeRows(machine),
    commands: new Map<string, MenuCommand>([
      [
        "add",
        {
          takesItems: false,
          arguments: new Set(["fs", "name", "parent", "read-only"]),
          run: change((call) => add(call, machine)),
        },
      ],
      [
        "set",
        {
          takesItems: true,
          arguments: new Set(["name", "read-only"]),
          run: change((call) => set(call, machine)),
        },
      ],
      [
        "remove",
        {
          takesItems: true,
          arguments: new Set<string>(),
          run: change((call) => remove(call, machine)),
        },
      ],
    ]),
  };
}

async function add(call: Call, machine: Machine): Promise<CallResult> {
  const fileSystem = fileSystemLabelled(call.arguments.get("fs"), machine);
  const target = await newPlace(textOf("name", call.arguments.get("name")), fileSystem, machine);
  const readOnly = booleanOf("read-only", call.arguments.get("read-only") ?? "no");
  const snapshots = call.arguments.has("parent");
  if (target.existing !== undefined)
    throw ioctlFailure(snapshots ? "SNAP_CREATE_V2" : "SUBVOL_CREATE", "File exists");
  requireWritable(target.parent);
  if (!snapshots) {
    await machine.backEnd.subvolumes.make(target.path);
    if (readOnly) await machine.backEnd.subvolumes.setReadOnly(target.path, true);
    return made(fileSystem.createSubvolume(target, readOnly));
  }
  const source = subvolumeNamed("parent", call.arguments.get("parent"), fileSystem);
  await machine.backEnd.subvolumes.snapshot(pathOf(source), target.path, readOnly);
  return made(fileSystem.snapshot(source, target, readOnly));
}

function made(directory: {
  readonly subvolume: { readonly number: number } | undefined;
}): CallResult {
  return { value: new Id(itemId(directory.subvolume?.number ?? 0)) };
}

async function set(call: Call, machine: Machine): Promise<CallResult> {
  for (const { directory, fileSystem } of addressed(call, machine)) {
    const name = call.arguments.get("name");
    if (name !== undefined) await rename(directory, textOf("name", name), fileSystem, machine);
    if (!call.arguments.has("read-only")) continue;
    const readOnly = booleanOf("read-only", call.arguments.get("read-only"));
    await machine.backEnd.subvolumes.setReadOnly(pathOf(directory), readOnly);
    directory.subvolume.readOnly = readOnly;
  }
  return {};
}

async function rename(
  directory: SubvolumeDirectory,
  name: string,
  fileSystem: FileSystem,
  machine: Machine,
): Promise<void> {
  if (holdsBackingFile(directory, machine)) throw failure("subvolume is in use by a disk");
  const target = await newPlace(name, fileSystem, machine);
  if (target.existing !== undefined) throw failure("already have such entry");
  await machine.backEnd.files.move(pathOf(directory), target.path);
  fileSystem.move(directory, { parent: target.parent, name: target.name });
}

async function remove(call: Call, machine: Machine): Promise<CallResult> {
  for (const { directory, fileSystem } of addressed(call, machine)) {
    const nested = [...entriesBelow(directory)].some(
      (entry) => entry.kind === "directory" && isSubvolumeRoot(entry),
    );
    if (nested) throw ioctlFailure("SNAP_DESTROY", "Directory not empty");
    if (
      machine.switches.get("subvolume-in-use") === "refuse" &&
      holdsBackingFile(directory, machine)
    )
      throw ioctlFailure("SNAP_DESTROY", "Device or resource busy");
    await machine.backEnd.subvolumes.remove(pathOf(directory));
    fileSystem.remove(directory);
  }
  return {};
}

function holdsBackingFile(directory: SubvolumeDirectory, machine: Machine): boolean {
  const prefix = `${pathOf(directory)}/`;
  return [...machine.disks.all].some((disk) => backingPath(disk)?.startsWith(prefix) === true);
}

/** `name` is a path below the mount point, whose directories exist. */
async function newPlace(name: string, fileSystem: FileSystem, machine: Machine): Promise<Target> {
  if (name === "") throw failure("subvolume needs a name");
  const path = `${fileSystem.facts.mountPoint}/${name}`;
  const target = await resolveTarget(path, "fail", machine);
  const leafTaken =
    target.existing === undefined &&
    machine.switches.get("subvolume-leaf-names") === "unique" &&
    [...fileSystem.subvolumes].some((directory) => directory.name === target.name);
  if (leafTaken) throw failure("already have such entry");
  return target;
}

function* addressed(call: Call, machine: Machine) {
  for (const fileSystem of machine.fileSystems.values())
    for (const directory of [...fileSystem.subvolumes].filter(isSubvolumeRoot))
      if (call.ids.includes(itemId(directory.subvolume.number))) yield { directory, fileSystem };
}

function fileSystemLabelled(value: Value, machine: Machine): FileSystem {
  const label = textOf("fs", Array.isArray(value) ? value[0] : value);
  for (const fileSystem of machine.fileSystems.values())
    if (fileSystem.facts.type === "btrfs" && fileSystem.facts.label === label) return fileSystem;
  throw noMatch("fs");
}

/** By leaf name or id, as RouterOS refers to subvolumes. */
function subvolumeNamed(
  argument: string,
  value: Value,
  fileSystem: FileSystem,
): SubvolumeDirectory {
  const reference = textOf(argument, Array.isArray(value) ? value[0] : value);
  for (const directory of [...fileSystem.subvolumes].filter(isSubvolumeRoot))
    if (directory.name === reference || itemId(directory.subvolume.number) === reference)
      return directory;
  throw noMatch(argument);
}
