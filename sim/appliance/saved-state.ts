import type { Disk, Setting } from "./disk.ts";
import { Disks } from "./disks.ts";
import type { FileSystem } from "./file-system.ts";
import { hostZone } from "./local-time.ts";
import type { Names } from "./machine.ts";
import { Numbering, type NumberingState } from "./numbering.ts";
import { restoreFileSystem, type SavedFileSystem, saveFileSystem } from "./saved-tree.ts";

interface SavedDisk {
  readonly number: number;
  readonly type: Disk["type"];
  readonly settings: Readonly<Record<string, Setting>>;
  readonly facts: Readonly<Record<string, Setting>>;
  readonly mountPoint?: string;
}

/** Everything that survives a reboot, as JSON. */
export interface SavedState {
  readonly format: 1;
  readonly names: Names;
  readonly numbering: NumberingState;
  readonly disks: readonly SavedDisk[];
  readonly fileSystems: readonly SavedFileSystem[];
}

/** The part of an appliance that survives a reboot. */
export interface Configuration {
  readonly names: Names;
  readonly numbering: Numbering;
  readonly disks: Disks;
  readonly fileSystems: Map<string, FileSystem>;
}

export function saveConfiguration(configuration: Configuration): SavedState {
  const { names, numbering, disks, fileSystems } = configuration;
  return {
    format: 1,
    names,
    numbering: numbering.state(),
    disks: [...disks.all].map(saveDisk),
    fileSystems: [...fileSystems.values()].map(saveFileSystem),
  };
}

export function restoreConfiguration(saved: SavedState): Configuration {
  const numbering = new Numbering(saved.numbering);
  const disks = new Disks();
  for (const disk of saved.disks) disks.put(restoreDisk(disk));
  const fileSystems = new Map<string, FileSystem>();
  for (const each of saved.fileSystems)
    fileSystems.set(each.facts.mountPoint, restoreFileSystem(each, numbering));
  // A state that was saved before appliances had a zone has none.
  const names = { ...{ timeZone: hostZone() }, ...saved.names };
  return { names, numbering, disks, fileSystems };
}

function saveDisk({ number, type, settings, facts, mountPoint }: Disk): SavedDisk {
  return {
    number,
    type,
    settings: Object.fromEntries(settings),
    facts: Object.fromEntries(facts),
    ...(mountPoint === undefined ? {} : { mountPoint }),
  };
}

function restoreDisk({ number, type, settings, facts, mountPoint }: SavedDisk): Disk {
  return {
    number,
    type,
    settings: new Map(Object.entries(settings)),
    facts: new Map(Object.entries(facts)),
    mountPoint,
  };
}
