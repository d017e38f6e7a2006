import { accessModes, type VolumeUse } from "#domain/access-mode.ts";
import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";

interface Wanted {
  readonly volumeId: string;
  readonly stagingPath: string;
  readonly use: VolumeUse;
}

/**
 * The record of a volume that may be published as wanted.
 * @throws {DriverError} `failed-precondition` naming what is staged instead.
 */
export async function requireStaged(
  wanted: Wanted,
  host: NodeHost,
  ctx: Context,
): Promise<StagedVolume> {
  const volume = await host.records.find(wanted.volumeId, ctx);
  const obstacle = obstacleTo(wanted, volume);
  if (volume !== undefined && obstacle === undefined) return volume;
  throw new DriverError(
    "failed-precondition",
    `Cannot publish volume "${wanted.volumeId}": it is ${obstacle}`,
  );
}

function obstacleTo(wanted: Wanted, volume: StagedVolume | undefined): string | undefined {
  if (volume?.phase !== "staged") return "not staged on this node";
  if (volume.stagingPath !== wanted.stagingPath) return `staged at "${volume.stagingPath}"`;
  if (volume.use.access.type !== wanted.use.access.type)
    return `staged for ${volume.use.access.type} access`;
  const writes = accessModes[volume.use.accessMode].writes;
  return writes === accessModes[wanted.use.accessMode].writes
    ? undefined
    : `staged with access mode "${volume.use.accessMode}"`;
}

/** @throws {DriverError} `not-found` when this node has nothing staged by that id. */
export async function findStaged(
  volumeId: string,
  host: NodeHost,
  ctx: Context,
): Promise<StagedVolume> {
  const volume = await host.records.find(volumeId, ctx);
  if (volume?.phase === "staged") return volume;
  throw new DriverError("not-found", `Cannot find volume "${volumeId}": it is not staged here`);
}
