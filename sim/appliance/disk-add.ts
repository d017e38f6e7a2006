import { ConsoleError } from "#sim/console/console-error.ts";
import type { Call, CallResult } from "#sim/console/menu.ts";
import { Id } from "#sim/console/value.ts";
import { textOf } from "./argument-values.ts";
import { backingFile, resizeBackingFile } from "./backing-file.ts";
import type { Disk, Setting } from "./disk.ts";
import { settingOf } from "./disk-arguments.ts";
import { updateExport } from "./export.ts";
import { failure, noMatch } from "./failure.ts";
import { requireWritable, resolveTarget, type Target } from "./file-places.ts";
import type { FileEntry } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import { itemId } from "./numbering.ts";
import { automaticSlot, usableSlot } from "./slots.ts";
import { requireSpace } from "./space.ts";

/** Types that RouterOS has; only file disks can be added to a simulated appliance. */
const types = new Set(
  "raid nvme-tcp iscsi nfs smb partition tmpfs ramdisk crypted sshfs file hardware".split(" "),
);

/** `/disk/add type=file`: makes or adopts the backing file, then the item; prints nothing. */
export async function addDisk(call: Call, machine: Machine): Promise<CallResult> {
  requireFileType(call);
  await machine.pause(addTime(machine));
  return machine.change(async () => {
    const settings = newSettings(call, machine);
    const target = await resolveTarget(
      String(settings.get("file-path") ?? ""),
      machine.switches.get("missing-directory"),
      machine,
    );
    if (machine.disks.withFile(target.path) !== undefined)
      throw failure(`file "${target.path}" is in use by another disk`);
    const asked = settings.get("slot");
    const slot =
      asked === undefined
        ? automaticSlot(target.path, machine)
        : usableSlot(String(asked), machine);
    settings.set("slot", slot).set("file-path", `/${target.path}`);
    requireNqnFree(settings, slot, machine);
    const file = await obtainFile(target, settings, machine);
    settings.set("file-size", file.size - Number(settings.get("file-offset") ?? 0));
    const number = machine.numbering.next("disk");
    const disk: Disk = { number, type: "file", settings, facts: new Map(), mountPoint: undefined };
    await updateExport(undefined, disk, machine);
    machine.disks.put(disk);
    return { value: new Id(itemId(number)) };
  });
}

/** Refuses values that `/disk/add` can never take, before the line runs. */
export function checkAddArgument(name: string, value: string): void {
  if (name === "copy-from") return;
  if (name !== "type") settingOf(name, value);
  else if (!types.has(value)) throw noMatch("type");
}

function requireFileType(call: Call): void {
  const type = textOf("type", call.arguments.get("type"));
  if (type === "") throw new ConsoleError("run-time", "missing value(s) of argument(s) type");
  if (!types.has(type)) throw noMatch("type");
  if (type !== "file") throw failure(`the simulator cannot add disks of type "${type}"`);
}

function addTime({ switches }: Machine): number {
  return switches.get("add-latency") + Math.random() * switches.get("add-latency-jitter");
}

/** Settings of the item that `copy-from` names (never its data), then the arguments, then defaults. */
function newSettings(call: Call, machine: Machine): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const [name, value] of copiedSettings(call, machine)) settings.set(name, value);
  if (machine.names.autoSmbSharing) settings.set("smb-sharing", true);
  if (machine.names.autoMediaSharing) settings.set("media-sharing", true);
  for (const [name, value] of call.arguments)
    if (name !== "type" && name !== "copy-from") settings.set(name, settingOf(name, value));
  return settings;
}

function copiedSettings(call: Call, machine: Machine): Iterable<readonly [string, Setting]> {
  if (!call.arguments.has("copy-from")) return [];
  const value = call.arguments.get("copy-from");
  const reference = textOf("copy-from", Array.isArray(value) ? value[0] : value);
  const source = machine.disks.get(reference) ?? machine.disks.withSlot(reference);
  if (source === undefined) throw noMatch("copy-from");
  return [...source.settings].filter(([name]) => name !== "slot" && name !== "file-path");
}

/** Before anything is created, so that a refused add leaves no file behind. */
function requireNqnFree(settings: ReadonlyMap<string, Setting>, slot: string, machine: Machine) {
  if (settings.get("nvme-tcp-export") !== true || settings.get("disabled") === true) return;
  const own = settings.get("nvme-tcp-server-nqn");
  const nqn = own === undefined || own === "" ? slot : String(own);
  if (machine.disks.exportedAs(nqn) !== undefined) throw failure("already have such entry");
}

async function obtainFile(
  target: Target,
  settings: ReadonlyMap<string, Setting>,
  machine: Machine,
): Promise<FileEntry> {
  const size = settings.get("file-size") ?? "auto";
  const bytes =
    typeof size === "number" ? size + Number(settings.get("file-offset") ?? 0) : undefined;
  if (target.existing !== undefined) return existingFile(target, bytes, machine);
  if (bytes === undefined || bytes === 0)
    throw failure(`file "${target.path}" does not exist and no size is given`);
  requireWritable(target.parent);
  await requireSpace(target.fileSystem, bytes, machine);
  await machine.backEnd.files.createImage(target.path, bytes);
  return target.fileSystem.createFile(target, bytes);
}

/** By the switch `existing-file`. */
async function existingFile(
  target: Target,
  bytes: number | undefined,
  machine: Machine,
): Promise<FileEntry> {
  const file = backingFile(target.path, machine);
  const policy = machine.switches.get("existing-file");
  if (policy === "refuse") throw failure(`file "${target.path}" already exists`);
  if (bytes === undefined || policy === "keep-size") return file;
  if (policy === "truncate") {
    requireWritable(target.parent);
    await machine.backEnd.files.createImage(target.path, bytes);
    target.fileSystem.truncate(file, bytes);
  } else if (bytes > file.size) {
    await resizeBackingFile(target.path, bytes, machine);
  }
  return file;
}
