import * as v from "valibot";

/** How one setting is written, and what becomes of it. */
export interface Form<Value> {
  /** Completes "expected …"; also the text in the reference. */
  readonly expected: string;
  /** @returns `undefined` when `given` is not what is expected. */
  readonly read: (given: unknown) => Value | undefined;
}

/** A setting of the schema: a form, and what the setting is for. */
export function setting<Value>(about: string, { expected, read }: Form<Value>) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, Value>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: `expected ${expected}` });
      return NEVER;
    }),
    v.metadata({ about, expected }),
  );
}

export function text(expected: string, pattern: RegExp): Form<string> {
  return {
    expected,
    read: (given) => (typeof given === "string" && pattern.test(given) ? given : undefined),
  };
}

export function oneOf<const Word extends string>(...words: readonly Word[]): Form<Word> {
  return {
    expected: words.map((word) => `"${word}"`).join(" or "),
    read: (given) => words.find((word) => word === given),
  };
}

/** A number, also as text: flags and the environment know nothing else. */
export function number(min: number, max: number): Form<number> {
  return {
    expected: `a number from ${min} to ${max}`,
    read: (given) => inRange(decimal(given), min, max),
  };
}

export function wholeNumber(min: number, max: number): Form<number> {
  const { read } = number(min, max);
  return {
    expected: `a whole number from ${min} to ${max}`,
    read: (given) => {
      const value = read(given);
      return Number.isInteger(value) ? value : undefined;
    },
  };
}

/** A share such as `10%`, as a number from 0 to 1. */
export function percent(min: number, max: number): Form<number> {
  return {
    expected: `a share from ${min}% to ${max}%`,
    read: (given) => {
      const [, digits] = /^(\d+(?:\.\d+)?)%$/.exec(String(given)) ?? [];
      const value = inRange(decimal(digits), min, max);
      return value === undefined ? undefined : value / 100;
    },
  };
}

const unitMilliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time such as `500ms`, `30s`, `5m` or `1h30m`, in milliseconds. */
export function duration(min: string, max: string): Form<number> {
  const [shortest, longest] = [milliseconds(min) ?? 0, milliseconds(max) ?? 0];
  return {
    expected: `a time from ${min} to ${max}`,
    read: (given) =>
      typeof given === "string" ? inRange(milliseconds(given), shortest, longest) : undefined,
  };
}

/** A list, also as text with commas: flags and the environment know nothing else. */
export function list<Value>(item: Form<Value>): Form<readonly Value[]> {
  return {
    expected: `a list, each of them ${item.expected}`,
    read: (given) => {
      const items = typeof given === "string" ? given.split(",").map((one) => one.trim()) : given;
      if (!Array.isArray(items)) return undefined;
      const values = items.map(item.read).filter((value) => value !== undefined);
      return values.length === items.length ? values : undefined;
    },
  };
}

function milliseconds(text: string): number | undefined {
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  return parts.reduce(
    (sum, [, count, unit]) =>
      sum + Number(count) * unitMilliseconds[unit as keyof typeof unitMilliseconds],
    0,
  );
}

function decimal(given: unknown): number | undefined {
  if (typeof given === "number") return given;
  return typeof given === "string" && /^-?\d{1,15}(\.\d{1,9})?$/.test(given)
    ? Number(given)
    : undefined;
}

function inRange(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
