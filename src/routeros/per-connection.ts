import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import type { Link } from "./transport/link.ts";

/**
 * Remembers what was found out, or made, for as long as the connection lasts over which it was. Loading takes
 * several commands and does not end with the caller that began it: else a slow appliance, on which it takes
 * longer than callers wait, would begin anew each time and never serve. Each of its commands has a limit.
 */
export class PerConnection<T> {
  readonly #link: Pick<Link, "generation">;
  readonly #load: (ctx: Context) => Promise<T>;
  #known: { readonly value: T; readonly generation: number } | undefined;
  #loading: Promise<unknown> | undefined;

  constructor(link: Pick<Link, "generation">, load: (ctx: Context) => Promise<T>) {
    this.#link = link;
    this.#load = load;
  }

  /**
   * One caller loads at a time; those who wait try themselves if it fails.
   * @throws what `load` throws, or the signal's reason when the caller leaves first.
   */
  async get(ctx: Context): Promise<T> {
    while (this.#loading !== undefined) await abortable(this.#loading, ctx.signal);
    if (this.#known !== undefined && this.#known.generation === this.#link.generation)
      return this.#known.value;
    ctx.signal.throwIfAborted();
    const loading = this.#reload({ log: ctx.log, signal: new AbortController().signal });
    this.#loading = loading.catch(ignore).finally(() => {
      this.#loading = undefined;
    });
    return await abortable(loading, ctx.signal);
  }

  /** The next `get` loads again. */
  forget(): void {
    this.#known = undefined;
  }

  async #reload(ctx: Context): Promise<T> {
    const value = await this.#load(ctx);
    const { generation } = this.#link;
    this.#known = generation === undefined ? undefined : { value, generation };
    return value;
  }
}

function ignore(): void {}
