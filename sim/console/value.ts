/**
 * A value of the RouterOS scripting language. `undefined` is *nothing* (`:typeof` → `nothing`).
 * Numbers are 64-bit on the appliance; sizes up to 2^53 are exact here.
 */
export type Value =
  | undefined
  | boolean
  | number
  | string
  | Id
  | Duration
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** An internal item number, printed `*2B`. */
export class Id {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A time value; printed `06:42:44` or `1d02:03:04` in JSON, and as RouterOS prints times elsewhere. */
export class Duration {
  readonly milliseconds: number;
  constructor(milliseconds: number) {
    this.milliseconds = milliseconds;
  }
}
