import { abortable } from "#lib/abortable.ts";
import type { Context } from "#lib/context.ts";
import type { Link } from "./transport/link.ts";

/** Remembers what was found out, or made, for as long as the connection lasts over which it was. */
export class PerConnection<T> {
  readonly #link: Pick<Link, "generation">;
  readonly #load: (ctx: Context) => Promise<T>;
  #known: { readonly value: T; readonly generation: number } | undefined;
  #loading: Promise<unknown> | undefined;

  constructor(link: Pick<Link, "generation">, load: (ctx: Context) => Promise<T>) {
    this.#link = link;
    this.#load = load;
  }

  /** One caller loads at a time; those who wait try themselves if it fails. @throws what `load` throws. */
  async get(ctx: Context): Promise<T> {
    while (this.#loading !== undefined) await abortable(this.#loading, ctx.signal);
    if (this.#known !== undefined && this.#known.generation === this.#link.generation)
      return this.#known.value;
    const loading = this.#reload(ctx);
    this.#loading = loading.catch(ignore).finally(() => {
      this.#loading = undefined;
    });
    return await loading;
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
