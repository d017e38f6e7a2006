import type { Call, CallResult, Flag, Menu, MenuCommand, Property } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { slotOf } from "./disk.ts";
import type { FileSystem } from "./file-system.ts";
import type { Machine } from "./machine.ts";

const errorCounters = ["write", "read", "flush", "corruption", "generation"].map(
  (kind) => `${kind}-errors`,
);

const properties: readonly Property[] = [
  { name: "label", kind: "word", brief: true },
  { name: "total-devs", kind: "number", brief: false },
  { name: "dev-ids", kind: "list", brief: true },
  { name: "devs", kind: "list", brief: true },
  { name: "default-subvolume", kind: "word", brief: true },
  { name: "spaces", kind: "list", brief: true },
  { name: "balance-status", kind: "word", brief: true },
  { name: "scrub-status", kind: "word", brief: false },
  { name: "uuid", kind: "word", brief: true },
  ...errorCounters.map((name) => ({ name, kind: "number" as const, brief: true })),
  ...["missing-devs", "balancing", "replacing", "scrubbing"].map((name) => ({
    name,
    kind: "boolean" as const,
    brief: false,
    flagOnly: true,
  })),
];

const flags: readonly Flag[] = [
  { letter: "I", property: "missing-devs", group: 0 },
  { letter: "b", property: "balancing", group: 1 },
  { letter: "r", property: "replacing", group: 1 },
  { letter: "s", property: "scrubbing", group: 1 },
];

/** `/disk/btrfs/filesystem`. Balance and scrub of a simulated file system are over at once. */
export function btrfsFilesystemMenu(machine: Machine): Menu {
  /** Status of what was started, by file system and property; gone with a restart, as on a device. */
  const statuses = new Map<string, Map<string, string>>();
  const start = (property: string): MenuCommand => ({
    takesItems: true,
    arguments: new Set(),
    run: (call: Call): CallResult => {
      for (const { facts } of btrfsFileSystems(machine).filter((each) => isNamed(each, call)))
        statuses.set(facts.uuid, (statuses.get(facts.uuid) ?? new Map()).set(property, "done"));
      return {};
    },
  });
  return {
    path: "/disk/btrfs/filesystem",
    singleton: false,
    properties,
    flags,
    rows: () =>
      btrfsFileSystems(machine).map((fileSystem) => ({
        id: idOf(fileSystem),
        values: new Map([
          ...valuesOf(fileSystem, machine),
          ...(statuses.get(fileSystem.facts.uuid) ?? []),
        ]),
      })),
    commands: new Map([
      ["balance-start", start("balance-status")],
      ["scrub-start", start("scrub-status")],
    ]),
  };
}

function btrfsFileSystems({ fileSystems }: Machine): FileSystem[] {
  return [...fileSystems.values()].filter(({ facts }) => facts.type === "btrfs");
}

function isNamed(fileSystem: FileSystem, call: Call): boolean {
  return call.ids.includes(idOf(fileSystem));
}

/** Stable across restarts and unlike the ids of other menus: the first bytes of the UUID. */
function idOf({ facts }: FileSystem): string {
  return `*${facts.uuid.slice(0, 8).toUpperCase()}`;
}

function valuesOf(fileSystem: FileSystem, machine: Machine): (readonly [string, Value])[] {
  const { facts, usedBytes, foreignBytes } = fileSystem;
  const device = [...machine.disks.all].find((disk) => disk.mountPoint === facts.mountPoint);
  const slot = device === undefined ? "missing" : slotOf(device);
  const percent = Math.round(((usedBytes + foreignBytes) / facts.size) * 100);
  const zeros = [...errorCounters.map((name) => [name, 0] as const)];
  return [
    ["label", facts.label],
    ["total-devs", 1],
    ["dev-ids", [1]],
    ["devs", [slot]],
    ["default-subvolume", "<FS_ROOT>"],
    ["spaces", [`${slot}:${decimalSize(facts.size)}, used:${percent}%`]],
    ["balance-status", ""],
    ["scrub-status", ""],
    ["uuid", facts.uuid],
    ...zeros,
    ["missing-devs", device === undefined],
    ["balancing", false],
    ["replacing", false],
    ["scrubbing", false],
  ];
}

/** `480GB`, `1.07GB`: Btrfs sizes are decimal and have three digits. */
function decimalSize(bytes: number): string {
  const power = Math.min(5, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))}${["", "k", "M", "G", "T", "P"][power]}B`;
}
