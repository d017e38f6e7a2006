import * as v from "valibot";
import { configSchema } from "./schema.ts";

/** A place in the schema, seen without valibot's types. */
export type SchemaPlace =
  | { readonly kind: "keys"; readonly entries: ReadonlyMap<string, SchemaPlace> }
  /** Any key, the same schema behind each. */
  | { readonly kind: "names"; readonly each: SchemaPlace }
  | {
      readonly kind: "setting";
      readonly about: string;
      readonly expected: string;
      readonly required: boolean;
      readonly default: unknown;
    };

interface AnySchema extends v.GenericSchema {
  readonly wrapped?: AnySchema;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly value?: AnySchema;
  readonly default?: unknown;
}

/** The configuration's schema as a tree to walk: for names in the environment, and for the reference. */
export function schemaTree(): SchemaPlace {
  return placeOf(configSchema as AnySchema);
}

function placeOf(schema: AnySchema): SchemaPlace {
  const inner = schema.wrapped ?? schema;
  if (inner.entries) {
    const entries = Object.entries(inner.entries);
    return { kind: "keys", entries: new Map(entries.map(([key, one]) => [key, placeOf(one)])) };
  }
  if (inner.value) return { kind: "names", each: placeOf(inner.value) };
  const { about, expected } = v.getMetadata(inner);
  return {
    kind: "setting",
    about: String(about),
    expected: String(expected),
    required: schema.wrapped === undefined,
    default: schema.default,
  };
}
