import type { Appliance } from "#domain/ports/appliances.ts";
import type { Volume } from "#domain/volume.ts";
import type { Context } from "#lib/context.ts";
import { next } from "./attachment.ts";
import { epochNqn } from "./epoch-nqn.ts";

/** The export of a volume that is attached is on, under the name that its nodes were told. */
export function isExported(volume: Volume): boolean {
  return volume.exported.enabled && volume.exported.nqn === epochNqn(volume);
}

/**
 * Exports it under that name again, at the port where its nodes look for it; another name is taken off first.
 * @returns the volume, as read back; `undefined` when somebody else was faster.
 * @throws {DriverError} `failed-precondition` for a comment that somebody has edited.
 */
export async function restoreExport(
  volume: Volume,
  { volumes, data }: Appliance,
  ctx: Context,
): Promise<Volume | undefined> {
  if (isExported(volume)) return volume;
  const nqn = epochNqn(volume);
  const off = { tag: next(volume.tag), exported: { enabled: false } } as const;
  const idle = volume.exported.enabled ? await volumes.change(volume, off, ctx) : volume;
  if (idle === undefined) return undefined;
  const port = idle.exported.port || data.port;
  const exported = { enabled: true, nqn, port } as const;
  return await volumes.change(idle, { tag: next(idle.tag), exported }, ctx);
}
