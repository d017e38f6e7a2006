import type { Version } from "#sim/console/menu.ts";
import type { Value } from "#sim/console/value.ts";
import { booleanOf, bytesOf, numberOf, textOf } from "./argument-values.ts";
import type { Setting } from "./disk.ts";
import { invalidValue } from "./failure.ts";
import { isSince } from "./version.ts";

type Kind = "text" | "boolean" | "bytes" | "port" | "path";

interface Argument {
  readonly kind: Kind;
  /** Minor versions of RouterOS 7 that know it, from and up to. */
  readonly from?: number;
  readonly until?: number;
  /** Known only with the storage package. */
  readonly storage?: true;
}

/** What `/disk/add` and `/disk/set` take for file disks (schema dumps, RouterOS 7.16 to 7.24). */
const argumentTable: Readonly<Record<string, Argument>> = {
  slot: { kind: "text" },
  comment: { kind: "text" },
  disabled: { kind: "boolean" },
  compress: { kind: "boolean", from: 18 },
  swap: { kind: "boolean", from: 17 },
  "mount-filesystem": { kind: "boolean", from: 17 },
  "mount-read-only": { kind: "boolean", from: 17 },
  "mount-point-template": { kind: "text", from: 17 },
  "smb-sharing": { kind: "boolean" },
  "nfs-sharing": { kind: "boolean", storage: true },
  "media-sharing": { kind: "boolean" },
  "media-interface": { kind: "text" },
  "iscsi-export": { kind: "boolean", storage: true },
  "iscsi-server-port": { kind: "port", from: 21, storage: true },
  "iscsi-server-iqn": { kind: "text", from: 21, storage: true },
  "nvme-tcp-export": { kind: "boolean", storage: true },
  "nvme-tcp-server-port": { kind: "port", storage: true },
  "nvme-tcp-server-nqn": { kind: "text", from: 21, storage: true },
  "nvme-tcp-server-allow-host-name": { kind: "text", storage: true },
  "nvme-tcp-server-password": { kind: "text", storage: true },
  // The initiator's side: accepted on a file disk, and without effect there.
  "nvme-tcp-address": { kind: "text", storage: true },
  "nvme-tcp-port": { kind: "port", storage: true },
  "nvme-tcp-nqn": { kind: "text", from: 21, storage: true },
  "nvme-tcp-name": { kind: "text", until: 20, storage: true },
  "nvme-tcp-host-name": { kind: "text", storage: true },
  "nvme-tcp-password": { kind: "text", storage: true },
  "file-path": { kind: "path", from: 17 },
  "file-size": { kind: "bytes", from: 17 },
  "file-offset": { kind: "bytes", from: 17 },
};

/** Names of the settable properties that this version and its packages know. */
export function diskArguments(version: Version, storage: boolean): ReadonlySet<string> {
  const names = Object.entries(argumentTable)
    .filter(
      ([, { from = 0, until = 99 }]) => isSince(version, from) && !isSince(version, until + 1),
    )
    .filter(([, argument]) => storage || argument.storage !== true)
    .map(([name]) => name);
  return new Set(names);
}

/**
 * Turns an argument into a setting.
 * @throws {ConsoleError} when it does not fit the property.
 */
export function settingOf(name: string, value: Value): Setting {
  switch (argumentTable[name]?.kind) {
    case "boolean":
      return booleanOf(name, value);
    case "bytes":
      return value === "auto" ? "auto" : bytesOf(name, value);
    case "port":
      return numberOf(name, value, [1, 65_535]);
    case "path":
    case "text":
      return textOf(name, value);
    case undefined:
      throw invalidValue(name);
  }
}

/** What a property has that was never set, or was unset. */
export const settingDefaults: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ["mount-filesystem", true],
  ["mount-read-only", false],
  ["compress", false],
  ["nvme-tcp-export", false],
  ["nvme-tcp-server-port", 4420],
  ["nvme-tcp-server-nqn", ""],
  ["nvme-tcp-server-allow-host-name", ""],
  ["iscsi-export", false],
  ["iscsi-server-port", 3260],
  ["iscsi-server-iqn", ""],
  ["nfs-sharing", false],
  ["smb-sharing", false],
  ["media-sharing", false],
  ["media-interface", "none"],
  ["swap", false],
]);
