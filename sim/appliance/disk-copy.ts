import type { Call, CallResult } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { textOf } from "./argument-values.ts";
import { backingFile } from "./backing-file.ts";
import { backingPath, type Disk, isExported, sizeOf, slotOf } from "./disk.ts";
import { failure, noMatch } from "./failure.ts";
import { requireWritable } from "./file-places.ts";
import type { Machine } from "./machine.ts";

/** `/disk/copy src= dst=`: copies the blocks of one file disk onto another that is at least as large. */
export async function copyDisk(call: Call, machine: Machine): Promise<CallResult> {
  const source = fileDisk("src", call.arguments.get("src"), machine);
  const target = fileDisk("dst", call.arguments.get("dst"), machine);
  if (source.number === target.number) throw failure("source and destination are the same disk");
  if (sizeOf(target) < sizeOf(source)) throw failure("destination is smaller than source");
  if (isExported(target)) throw failure(`disk "${slotOf(target)}" is in use`);
  await machine.change(() => copyBlocks(source, target, machine));
  const bytes = sizeOf(source);
  const status = `${bytes} / ${bytes} (100%)`;
  return { value: new Map([["status", status]]), lines: [`  status: ${status}`, ""] };
}

async function copyBlocks(source: Disk, target: Disk, machine: Machine): Promise<void> {
  const [from = "", to = ""] = [backingPath(source), backingPath(target)];
  const { size } = backingFile(to, machine);
  requireWritable(backingFile(to, machine).parent);
  backingFile(from, machine);
  await machine.backEnd.files.copy(from, to);
  if (size !== sizeOf(source)) await machine.backEnd.files.growImage(to, size);
}

function fileDisk(argument: string, value: Value, machine: Machine): Disk {
  const reference = textOf(argument, Array.isArray(value) ? value[0] : value);
  const disk = machine.disks.get(reference) ?? machine.disks.withSlot(reference);
  if (disk === undefined) throw noMatch(argument);
  if (disk.type !== "file") throw failure(`the simulator cannot copy disk "${slotOf(disk)}"`);
  return disk;
}
