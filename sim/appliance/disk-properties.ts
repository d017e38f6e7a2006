import type { Flag, Property, Version } from "#sim/console/menu.ts";
import { isSince } from "./version.ts";

type Kind = Property["kind"];

/** Name, kind, and the RouterOS 7 minor version that brought it. */
type Line = readonly [name: string, kind: Kind, since?: number];

/** In the order in which `print detail` prints them (observed on RDS2216, RouterOS 7.24.4). */
const detailOrder: readonly Line[] = [
  ["comment", "string"],
  ["type", "word"],
  ["slot", "string"],
  ["slot-default", "string"],
  ["parent", "string"],
  ["fs-label", "string"],
  ["fs-uuid", "string"],
  ["fs", "word"],
  ["model", "string"],
  ["serial", "string"],
  ["fw-version", "string"],
  ["size", "number"],
  ["free", "number"],
  ["total-inodes", "number"],
  ["free-inodes", "number"],
  ["use", "percent"],
  ["mount-point", "string"],
  ["mount-filesystem", "boolean", 17],
  ["mount-read-only", "boolean", 17],
  ["compress", "boolean", 18],
  ["sector-size", "number"],
  ["interface", "string"],
  ["interface-speed", "string"],
  ["raid-type", "number"],
  ["raid-device-count", "number"],
  ["raid-max-component-size", "word"],
  ["raid-chunk-size", "word"],
  ["raid-master", "word"],
  ["raid-role", "number"],
  ["raid-member-failed", "boolean"],
  ["raid-member-state", "string"],
  ["state", "string"],
  ["raid-uuid", "string"],
  ["temperature", "number"],
  ["critical-warning", "list"],
  ["available-spare", "percent"],
  ["percentage-used", "percent"],
  ["power-on-time", "time"],
  ["unsafe-shutdowns", "number"],
  ["unrecovered-integrity-errors", "number"],
  ["io-errors", "number"],
  ["nvme-tcp-export", "boolean"],
  ["nvme-tcp-server-port", "word"],
  ["nvme-tcp-server-nqn", "string", 21],
  ["nvme-tcp-server-allow-host-name", "string"],
  ["iscsi-export", "boolean"],
  ["iscsi-server-port", "word", 21],
  ["iscsi-server-iqn", "string", 21],
  ["nfs-sharing", "boolean"],
  ["smb-sharing", "boolean"],
  ["media-sharing", "boolean"],
  ["media-interface", "word"],
  ["swap", "boolean", 17],
  ["file-path", "word", 17],
  ["file-size", "file-size", 17],
  ["file-offset", "number", 17],
];

/** Columns of the plain table, in its order (RouterOS manual, 7.24). */
export const diskColumns: readonly string[] = [
  "slot",
  "mount-point",
  "model",
  "interface",
  "size",
  "fs",
  "swap",
];

/** Letter, property, column. Columns follow from the legends that devices print; see the manual. */
const flagLines: readonly (readonly [letter: string, property: string, group: number])[] = [
  ["X", "disabled", 0],
  ["A", "acquired", 0],
  ["E", "empty", 0],
  ["B", "block-device", 0],
  ["M", "mounted", 1],
  ["F", "formatting", 1],
  ["S", "swap-enabled", 1],
  ["f", "raid-member-failed", 2],
  ["r", "raid-member", 2],
  ["c", "encrypted", 2],
  ["g", "guid-partition-table", 2],
  ["p", "partition", 2],
  ["t", "nvme-tcp-export", 3],
  ["i", "iscsi-export", 4],
  ["s", "smb-sharing", 5],
  ["n", "nfs-sharing", 6],
  ["m", "media-sharing", 7],
  ["L", "self-encrypted-and-locked", 8],
  ["O", "self-encryption-enabled", 8],
  ["o", "self-encryption-supported", 8],
];

export const diskFlags: readonly Flag[] = flagLines.map(([letter, property, group]) => ({
  letter,
  property,
  group,
}));

/** The properties that a version prints; those that only show as a flag come last. */
export function diskProperties(version: Version): readonly Property[] {
  const printed = detailOrder
    .filter(([, , since]) => since === undefined || isSince(version, since))
    .map(([name, kind]) => ({ name, kind, brief: diskColumns.includes(name) }));
  const names = new Set(printed.map(({ name }) => name));
  const flagOnly = diskFlags
    .filter(({ property }) => !names.has(property))
    .map(({ property }) => ({
      name: property,
      kind: "boolean" as const,
      brief: false,
      flagOnly: true,
    }));
  return [...printed, ...flagOnly];
}
