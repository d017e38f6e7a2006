import { failure } from "./failure.ts";
import type { Machine } from "./machine.ts";

/**
 * The slot a disk gets for the name that was asked, by the switch `slot-limit`.
 * @param current - Number of the disk that is being renamed; its own slot is not taken.
 * @throws {ConsoleError} for an empty, too long or taken name.
 */
export function usableSlot(asked: string, machine: Machine, current?: number): string {
  if (asked === "") throw failure("slot must not be empty");
  const slot = fitted(asked, machine);
  const holder = machine.disks.withSlot(slot);
  if (holder !== undefined && holder.number !== current) throw failure("already have such entry");
  return slot;
}

/** The name of a file disk that was given none: `file-disk1-swap` for `/disk1/swap` (observed). */
export function automaticSlot(path: string, machine: Machine): string {
  const name = `file-${path.replaceAll("/", "-")}`;
  return usableSlot(name.slice(0, limit(machine)), machine);
}

function fitted(asked: string, machine: Machine): string {
  const maximum = limit(machine);
  if (asked.length <= maximum) return asked;
  if (machine.switches.get("slot-limit") === "32-cut") return asked.slice(0, maximum);
  throw failure(`slot name is longer than ${maximum} characters`);
}

function limit(machine: Machine): number {
  return machine.switches.get("slot-limit") === "64" ? 64 : 32;
}
