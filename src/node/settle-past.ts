import { DriverError } from "#domain/errors.ts";
import type { StagedVolume } from "#domain/staged-volume.ts";
import type { Context } from "#lib/context.ts";
import type { NodeHost } from "./host.ts";
import { release } from "./release.ts";
import { isSameStaging } from "./same-use.ts";

/**
 * Compares a stage call with what this node remembers of the volume. A connection by another NQN is from
 * before the volume was elsewhere: it is taken down, or the call is refused; never are the two mixed.
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
  if (difference === undefined) return known;
  if (known.target.nqn === wanted.target.nqn && known.phase === "staged")
    throw new DriverError(
      "already-exists",
      `Cannot stage volume "${wanted.volumeId}": it is staged with another ${difference}`,
    );
  ctx.log.warn(
    { volumeId: known.volumeId, nqn: known.target.nqn, phase: known.phase },
    "Taking down what an earlier stage of the volume left",
  );
  // a new NQN is made only after the old one has gone from the appliance, for ever
  const unwritten = known.target.nqn === wanted.target.nqn ? "keep" : "discard";
  try {
    await release(known, unwritten, host, ctx);
  } catch (error) {
    throw inTheWay(known, difference, error);
  }
  return undefined;
}

function differenceOf(known: StagedVolume, wanted: StagedVolume): string | undefined {
  if (known.target.nqn !== wanted.target.nqn) return `NQN, "${known.target.nqn}"`;
  if (known.stagingPath !== wanted.stagingPath) return `staging path, "${known.stagingPath}"`;
  return isSameStaging(known.use, wanted.use) ? undefined : "capability";
}

function inTheWay({ volumeId }: StagedVolume, difference: string, cause: unknown): unknown {
  if (!(cause instanceof DriverError)) return cause;
  return new DriverError(
    cause.kind,
    `Cannot stage volume "${volumeId}" while it is here with another ${difference}: ${cause.message}`,
    { cause },
  );
}
