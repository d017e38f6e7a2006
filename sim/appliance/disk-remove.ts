import type { Call, CallResult } from "#sim/console/menu.ts";
import { backingPath, slotOf } from "./disk.ts";
import { requireReleased, updateExport } from "./export.ts";
import { failure } from "./failure.ts";
import { fileSystemOf, findEntry } from "./file-places.ts";
import type { Machine } from "./machine.ts";

/** `/disk/remove <items>`: removes the items; the backing files stay unless a switch says otherwise. */
export async function removeDisks(call: Call, machine: Machine): Promise<CallResult> {
  for (const id of call.ids) {
    const disk = machine.disks.get(id);
    if (disk === undefined) continue;
    if (disk.type !== "file") throw failure(`cannot remove disk "${slotOf(disk)}"`);
    await requireReleased(disk, "connected-remove", machine, call.signal);
    await machine.change(() => removeDisk(id, machine));
  }
  return {};
}

async function removeDisk(id: string, machine: Machine): Promise<void> {
  const disk = machine.disks.get(id);
  if (disk === undefined) return;
  await updateExport(disk, undefined, machine);
  machine.disks.delete(disk);
  const path = backingPath(disk);
  const file = path === undefined ? undefined : findEntry(path, machine);
  if (file === undefined || machine.switches.get("remove-deletes-file") === "no") return;
  await machine.backEnd.files.remove(path ?? "");
  fileSystemOf(path ?? "", machine)?.remove(file);
}
