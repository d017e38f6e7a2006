import type { Row } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { type Disk, isExported, nqnOf, type Setting, sizeOf, slotOf } from "./disk.ts";
import { settingDefaults } from "./disk-arguments.ts";
import { diskFlags } from "./disk-properties.ts";
import type { FileSystem } from "./file-system.ts";
import type { Machine } from "./machine.ts";
import { itemId } from "./numbering.ts";
import { freeBytes } from "./space.ts";

type Values = readonly (readonly [string, Value])[];

/** Observed: 16 003 143 565 312 bytes of XFS have 1 562 806 656 inodes. */
const bytesPerInode = 10_240;

/** Inodes that an empty XFS has in use. */
const ownInodes = 3;

/** Builds the rows of `/disk`; those of file disks are kept, as there may be many thousands. */
export class DiskRows {
  readonly #machine: Machine;
  #cache = new WeakMap<Disk, Row>();
  #cachedFor: string | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async list(): Promise<readonly Row[]> {
    const shape = this.#machine.switches.get("unexported-target");
    if (shape !== this.#cachedFor) this.#cache = new WeakMap();
    this.#cachedFor = shape;
    const rows: Row[] = [];
    for (const disk of this.#machine.disks.all)
      rows.push(disk.type === "file" ? this.#fileRow(disk) : await this.#deviceRow(disk));
    return rows;
  }

  #fileRow(disk: Disk): Row {
    const shown = this.#machine.shown.get(slotOf(disk));
    const cached = shown === undefined ? this.#cache.get(disk) : undefined;
    if (cached !== undefined) return cached;
    const values = new Map([...flagDefaults, ...this.#fileValues(disk), ...(shown ?? [])]);
    const row = { id: itemId(disk.number), values };
    if (shown === undefined) this.#cache.set(disk, row);
    return row;
  }

  #fileValues(disk: Disk): Values {
    const path = setting(disk, "file-path");
    const swap = setting(disk, "swap");
    return [
      ...identity(disk),
      ["fs", "-"],
      ["model", path],
      ["size", sizeOf(disk)],
      ["sector-size", 512],
      ["raid-master", "none"],
      ...this.#settings(disk),
      ["file-path", path],
      ["file-size", sizeOf(disk)],
      ["file-offset", disk.settings.get("file-offset") ?? 0],
      ["block-device", swap !== true],
      ["swap-enabled", swap],
    ];
  }

  async #deviceRow(disk: Disk): Promise<Row> {
    const fileSystem = this.#machine.fileSystems.get(disk.mountPoint ?? "");
    const values = new Map<string, Value>([
      ...flagDefaults,
      ...identity(disk),
      ["fs", "-"],
      ["block-device", true],
      ["raid-master", "none"],
      ...this.#settings(disk),
      ...disk.facts,
      ...(fileSystem === undefined ? [] : await this.#fileSystemValues(fileSystem)),
      ...(this.#machine.shown.get(slotOf(disk)) ?? []),
    ]);
    return { id: itemId(disk.number), values };
  }

  #settings(disk: Disk): Values {
    const target: Values = [
      ["nvme-tcp-server-port", setting(disk, "nvme-tcp-server-port")],
      ["nvme-tcp-server-nqn", nqnOf(disk)],
      ["nvme-tcp-server-allow-host-name", setting(disk, "nvme-tcp-server-allow-host-name")],
    ];
    const shown = isExported(disk) || this.#machine.switches.get("unexported-target") === "shown";
    return [
      ...alwaysPrinted.map((name) => [name, setting(disk, name)] as const),
      ...(shown ? target : []),
    ];
  }

  async #fileSystemValues(fileSystem: FileSystem): Promise<Values> {
    const { facts } = fileSystem;
    const free = await freeBytes(fileSystem, this.#machine);
    const inodes = facts.type === "btrfs" ? 0 : Math.floor(facts.size / bytesPerInode);
    return [
      ["fs", facts.type],
      ["fs-label", facts.label],
      ["fs-uuid", facts.uuid],
      ["size", facts.size],
      ["free", free],
      ["total-inodes", inodes],
      ["free-inodes", Math.max(0, inodes - fileSystem.entryCount - ownInodes)],
      ["use", Math.round(((facts.size - free) / facts.size) * 100)],
      ["mount-point", facts.mountPoint],
      ["mounted", true],
    ];
  }
}

const alwaysPrinted = [
  "mount-filesystem",
  "mount-read-only",
  "compress",
  "nvme-tcp-export",
  "iscsi-export",
  "nfs-sharing",
  "smb-sharing",
  "media-sharing",
  "media-interface",
  "swap",
];

const flagDefaults: Values = diskFlags
  .filter(({ property }) => property !== "raid-member-failed")
  .map(({ property }) => [property, false]);

function identity(disk: Disk): Values {
  const comment = disk.settings.get("comment");
  return [
    ["type", disk.type],
    ["slot", slotOf(disk)],
    ["slot-default", disk.type === "hardware" ? slotOf(disk) : ""],
    ["parent", ""],
    ["disabled", disk.settings.get("disabled") ?? false],
    ...(comment === undefined || comment === "" ? [] : [["comment", comment] as const]),
  ];
}

function setting(disk: Disk, name: string): Setting | undefined {
  return disk.settings.get(name) ?? settingDefaults.get(name);
}
