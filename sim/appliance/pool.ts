import { createHash, randomUUID } from "node:crypto";
import type { Disk, Setting } from "./disk.ts";
import { FileSystem, type FileSystemType } from "./file-system.ts";
import type { Numbering } from "./numbering.ts";

/** A mounted file system with the array or drive below it. */
export interface PoolOptions {
  /** Also the name of the item that carries it. */
  readonly mountPoint: string;
  /** Bytes. */
  readonly size: number;
  /** Default `btrfs`. */
  readonly type?: FileSystemType;
  /** Default `<mount point>-fs`, as `/disk/format` labels it. */
  readonly label?: string;
  /** RAID level of the array; `none` puts the file system on a single drive. Default 1. */
  readonly raid?: 0 | 1 | 5 | 6 | 10 | "none";
  /** Drives of the array. Default the fewest that the level allows. */
  readonly members?: number;
}

const levels: Readonly<Record<number, readonly [model: string, members: number, parity: number]>> =
  {
    0: ["RAID0 striped", 2, 0],
    1: ["RAID1 mirrored", 2, 1],
    5: ["RAID5 parity-disk", 3, 1],
    6: ["RAID6 2-parity-disks", 4, 2],
    10: ["RAID10 mirrored-striped", 4, 2],
  };

/** Builds the file system of a pool and the items of `/disk` that belong to it, the drives first. */
export function createPool(
  options: PoolOptions,
  numbering: Numbering,
  drivesBefore: number,
): { readonly fileSystem: FileSystem; readonly disks: readonly Disk[] } {
  const { mountPoint, size, type = "btrfs", label = `${mountPoint}-fs`, raid = 1 } = options;
  const fileSystem = new FileSystem(
    { mountPoint, type, label, uuid: randomUUID(), size },
    numbering,
  );
  if (raid === "none") {
    const facts = driveFacts(mountPoint, size);
    return { fileSystem, disks: [item("hardware", mountPoint, facts, { numbering, mountPoint })] };
  }
  const [model = "", fewest = 2, parity = 0] = levels[raid] ?? [];
  const count = options.members ?? fewest;
  const memberSize = Math.ceil(size / (raid === 1 ? 1 : Math.max(1, count - parity)));
  const members = Array.from({ length: count }, (_, role) => {
    const slot = `nvme${drivesBefore + role + 1}`;
    const facts = { ...driveFacts(slot, memberSize), ...memberFacts(mountPoint, role) };
    return item("hardware", slot, facts, { numbering });
  });
  const array = item("raid", mountPoint, arrayFacts(model, raid, count), { numbering, mountPoint });
  return { fileSystem, disks: [...members, array] };
}

function item(
  type: Disk["type"],
  slot: string,
  facts: Readonly<Record<string, Setting>>,
  { numbering, mountPoint }: { readonly numbering: Numbering; readonly mountPoint?: string },
): Disk {
  const settings = new Map<string, Setting>([
    ["slot", slot],
    ["mount-filesystem", mountPoint !== undefined],
  ]);
  const number = numbering.next("disk");
  return { number, type, settings, facts: new Map(Object.entries(facts)), mountPoint };
}

function arrayFacts(model: string, level: number, members: number): Record<string, Setting> {
  return {
    model,
    "sector-size": 512,
    "raid-type": level,
    "raid-device-count": members,
    "raid-max-component-size": "none",
    ...(level === 1 ? {} : { "raid-chunk-size": "256K" }),
    "raid-master": "none",
    state: "clean",
    "raid-uuid": randomUUID()
      .replaceAll("-", "")
      .replace(/(.{8})(?!$)/g, "$1-"),
  };
}

function memberFacts(master: string, role: number): Record<string, Setting> {
  return {
    "raid-member": true,
    "raid-master": master,
    "raid-role": role,
    "raid-member-failed": false,
    "raid-member-state": `${role}:in_sync`,
  };
}

/** A drive that the manual lists for the RDS2216, with a serial that follows from its slot. */
function driveFacts(slot: string, size: number): Record<string, Setting> {
  return {
    model: "TS1TUTE210T",
    serial: createHash("sha256").update(slot).digest("hex").slice(0, 12).toUpperCase(),
    "fw-version": "V0402A1",
    size,
    "sector-size": 512,
    interface: "PCIe 2x8 GT/s",
    "raid-master": "none",
    temperature: 38,
    "available-spare": 100,
    "percentage-used": 1,
    "unsafe-shutdowns": 0,
    "unrecovered-integrity-errors": 0,
    "io-errors": 0,
  };
}
