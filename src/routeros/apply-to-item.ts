import type { Context } from "#lib/context.ts";
import type { Command } from "./command.ts";
import type { Applied, Console } from "./console.ts";

/**
 * As `Console.apply()`, for effects on items that a `find` of the same line selects. When RouterOS says
 * that there is no such item, another session removed it in between: what is there now decides.
 */
export async function applyToItem(
  console: Console,
  { effect, view }: { readonly effect: Command; readonly view: Command },
  ctx: Context,
): Promise<Applied> {
  const applied = await console.apply(effect, view, ctx);
  if (applied.reply.ok || applied.reply.fault.type !== "not-found") return applied;
  return { reply: await console.read(view, ctx), doubt: undefined };
}
