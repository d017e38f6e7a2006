import type { Context } from "#lib/context.ts";
import type { Nqn } from "../nqn.ts";

/** A look at all holds of this host at once, cheap enough for every few seconds. */
export interface HoldSurvey {
  /** Those that need a closer look: a path has failed, or a change was interrupted. */
  disturbed(ctx: Context): Promise<ReadonlySet<Nqn>>;
}
