import type { Call, CallResult } from "#sim/console/menu.ts";
import { resizeBackingFile } from "./backing-file.ts";
import { backingPath, type Disk, isExported, nqnOf, type Setting, sizeOf, slotOf } from "./disk.ts";
import { settingDefaults, settingOf } from "./disk-arguments.ts";
import { requireReleased, updateExport } from "./export.ts";
import { failure, invalidValue } from "./failure.ts";
import type { Machine } from "./machine.ts";
import { usableSlot } from "./slots.ts";

/** What can be set on arrays and drives; the rest of their settings the simulator does not model. */
const deviceSettings = new Set([
  "comment",
  "compress",
  "smb-sharing",
  "nfs-sharing",
  "media-sharing",
]);

/** `/disk/set <items> name=value …`; silent. Each item is changed wholly or not at all. */
export function setDisks(call: Call, machine: Machine): Promise<CallResult> {
  const changes = new Map<string, Setting | undefined>();
  for (const [name, value] of call.arguments) changes.set(name, settingOf(name, value));
  return changeDisks(call, changes, machine);
}

/** `/disk/unset <items> name` and `/disk/reset <items> name`: back to the default. */
export function unsetDisks(call: Call, machine: Machine): Promise<CallResult> {
  const named = call.arguments.get("value-name");
  const names = named === undefined ? [...call.words] : [String(named)];
  const fixed = names.find((name) => !settingDefaults.has(name) && name !== "comment");
  if (fixed !== undefined || names.length === 0) throw invalidValue("value-name");
  return changeDisks(call, new Map(names.map((name) => [name, undefined])), machine);
}

async function changeDisks(
  call: Call,
  changes: ReadonlyMap<string, Setting | undefined>,
  machine: Machine,
): Promise<CallResult> {
  for (const id of call.ids) {
    const disk = machine.disks.get(id);
    if (disk === undefined) continue;
    const unexports = isExported(disk) && !isExported(changed(disk, changes, machine));
    if (unexports) await requireReleased(disk, "connected-unexport", machine, call.signal);
    await machine.change(() => changeDisk(id, changes, machine));
  }
  return {};
}

async function changeDisk(
  id: string,
  changes: ReadonlyMap<string, Setting | undefined>,
  machine: Machine,
): Promise<void> {
  const before = machine.disks.get(id);
  if (before === undefined) return;
  const after = changed(before, changes, machine);
  requireSettable(before, changes);
  requireNqnStays(before, after, machine);
  const path = backingPath(before);
  const size = after.settings.get("file-size");
  if (path !== undefined && changes.has("file-size") && typeof size === "number")
    await resizeBackingFile(path, size + Number(after.settings.get("file-offset") ?? 0), machine);
  await updateExport(before, after, machine);
  machine.disks.put(after);
}

function changed(
  disk: Disk,
  changes: ReadonlyMap<string, Setting | undefined>,
  machine: Machine,
): Disk {
  const settings = new Map(disk.settings);
  for (const [name, value] of changes)
    if (value === undefined) settings.delete(name);
    else settings.set(name, value);
  if (changes.has("slot"))
    settings.set("slot", usableSlot(String(changes.get("slot")), machine, disk.number));
  if (settings.get("file-size") === "auto") settings.set("file-size", sizeOf(disk));
  return { ...disk, settings };
}

function requireSettable(disk: Disk, changes: ReadonlyMap<string, Setting | undefined>): void {
  for (const [name, value] of changes) {
    if (disk.type !== "file" && !deviceSettings.has(name))
      throw failure(`cannot set ${name} of disk "${slotOf(disk)}"`);
    const fixed = name === "file-path" || name === "file-offset";
    if (fixed && value !== disk.settings.get(name)) throw failure(`cannot change ${name}`);
  }
}

/** By the switch `nqn-while-exported`. */
function requireNqnStays(before: Disk, after: Disk, machine: Machine): void {
  if (machine.switches.get("nqn-while-exported") === "allow") return;
  if (isExported(before) && isExported(after) && nqnOf(before) !== nqnOf(after))
    throw failure("cannot change the NQN of an exported disk");
}
