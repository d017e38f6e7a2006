import { command } from "./command.ts";
import { flagOf, type JsonRecord, numberOf, textOf } from "./json.ts";
import { canonicalPath } from "./paths.ts";

/** One `/disk` item, as far as volumes and pools are concerned. */
export interface DiskRow {
  readonly slot: string;
  readonly type: string;
  readonly comment: string;
  /** Of the block device; `undefined` or 0 while RouterOS cannot open it. */
  readonly sizeBytes: number | undefined;
  readonly freeBytes: number | undefined;
  /** As configured, for `type=file`. */
  readonly fileSizeBytes: number | undefined;
  /** Canonical; empty unless `type=file`. */
  readonly filePath: string;
  /** Canonical; empty unless mounted. */
  readonly mountPoint: string;
  readonly fs: string;
  readonly fsLabel: string;
  readonly mountsFilesystem: boolean;
  readonly exported: boolean;
  readonly nqn: string;
  readonly nvmePort: number | undefined;
}

/** Asked for by name where many rows come; all exist from RouterOS 7.21 on with the storage package. */
export const diskProperties = command`slot,type,comment,size,free,file-size,file-path,mount-point,fs,fs-label,mount-filesystem,nvme-tcp-export,nvme-tcp-server-nqn,nvme-tcp-server-port`;

export function diskRow(record: JsonRecord): DiskRow {
  return {
    slot: textOf(record, "slot"),
    type: textOf(record, "type"),
    comment: textOf(record, "comment"),
    sizeBytes: numberOf(record, "size"),
    freeBytes: numberOf(record, "free"),
    fileSizeBytes: numberOf(record, "file-size"),
    filePath: canonicalPath(textOf(record, "file-path")),
    mountPoint: canonicalPath(textOf(record, "mount-point")),
    fs: textOf(record, "fs"),
    fsLabel: textOf(record, "fs-label"),
    mountsFilesystem: flagOf(record, "mount-filesystem"),
    exported: flagOf(record, "nvme-tcp-export"),
    nqn: textOf(record, "nvme-tcp-server-nqn"),
    nvmePort: numberOf(record, "nvme-tcp-server-port"),
  };
}
