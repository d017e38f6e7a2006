import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { release } from "./release.ts";
import { hasEnded } from "./release-hold.ts";
import { isSameStaging } from "./same-use.ts";

/**
 * Compares a stage call with what this node remembers of the volume. A connection by another NQN is from
 * before the volume was elsewhere: it is taken down, or the call is refused; never are the two mixed. So is a hold
 * that has ended.
 * @returns the record that the call goes on from; `undefined` for a fresh start.
 * @throws {DriverError} `already-exists` when the volume is staged in another way.
 */
export async function settlePast(
  wanted: StagedVolume,
  host: NodeHost,
  ctx: Context,
): Promise<StagedVolume | undefined> {
  const known = await host.records.find(wanted.volumeId, ctx);
  if (known === undefined) return undefined;
  const difference = differenceOf(known, wanted);
  const isSameNqn = known.target.nqn === wanted.target.nqn;
  const isOver = isSameNqn && (await isHoldOver(known, host, ctx));
  if (difference === undefined && !isOver) return known;
  if (difference !== undefined && isSameNqn && known.phase === "staged")
    throw new DriverError(
      "already-exists",
      `Cannot stage volume "${wanted.volumeId}": it is staged with another ${difference}`,
    );
  ctx.log.warn(
    { volumeId: known.volumeId, nqn: known.target.nqn, phase: known.phase },
    "Taking down what an earlier stage of the volume left",
  );
  // a new NQN is made only after the old one has gone from the appliance, for ever
  const unwritten = isSameNqn ? "keep" : "discard";
  try {
    await release(known, unwritten, host, ctx);
  } catch (error) {
    throw inTheWay(
      known,
      difference === undefined ? "a hold that has ended" : `another ${difference}`,
      error,
    );
  }
  if (!isSameNqn || known.phase !== "formatting") return undefined;
  // under this NQN nobody else can have been at what mkfs has left
  const formatting = { ...wanted, phase: known.phase };
  await host.records.save(formatting, ctx);
  return formatting;
}

/** What has failed once may have been half written: the file system is mounted anew, on a hold of its own. */
async function isHoldOver(
  { target }: StagedVolume,
  { holds }: NodeHost,
  ctx: Context,
): Promise<boolean> {
  const hold = await holds?.find(target.nqn, ctx);
  return holds !== undefined && hold !== undefined && (await hasEnded(hold, { holds }, ctx));
}

function differenceOf(known: StagedVolume, wanted: StagedVolume): string | undefined {
  if (known.target.nqn !== wanted.target.nqn) return `NQN, "${known.target.nqn}"`;
  if (known.stagingPath !== wanted.stagingPath) return `staging path, "${known.stagingPath}"`;
  return isSameStaging(known.use, wanted.use) ? undefined : "capability";
}

function inTheWay({ volumeId }: StagedVolume, obstacle: string, cause: unknown): unknown {
  if (!(cause instanceof DriverError)) return cause;
  return new DriverError(
    cause.kind,
    `Cannot stage volume "${volumeId}" while it is here with ${obstacle}: ${cause.message}`,
    { cause },
  );
}
