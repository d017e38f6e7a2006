import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, type Scalar } from "yaml";
import { ConfigError } from "./config-error.ts";
import type { Given } from "./layer.ts";

/**
 * The settings of a YAML or JSON file. A key without a value is not given at all.
 * @throws {ConfigError} naming the line of what is not YAML.
 */
export function fileLayer(content: string, file: string): Given[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(content, { lineCounter });
  if (document.errors.length > 0)
    throw new ConfigError(document.errors.map(({ message }) => `${file}: ${firstLine(message)}`));
  const lineOf = (node: Node) => lineCounter.linePos(node.range?.[0] ?? 0).line;
  const walk = (node: unknown, path: readonly string[], line: number): Given[] => {
    if (isMap<Scalar<unknown>, Node | null>(node))
      return node.items.flatMap(({ key, value }) =>
        walk(value, [...path, String(key.value)], lineOf(key)),
      );
    const source = `${file}, line ${line}`;
    if (isAlias(node))
      throw new ConfigError([`${path.join(".")}: expected a value, got an alias (${source})`]);
    const value = plain(node);
    return value === null ? [] : [{ path, value, source }];
  };
  const settings = walk(document.contents, [], 1);
  if (settings.some(({ path }) => path.length === 0))
    throw new ConfigError([`${file}: expected keys and values`]);
  return settings;
}

function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  return (node as Node | null)?.toJSON() ?? null;
}

/** The parser goes on with a picture of the place. */
function firstLine(message: string): string {
  const [line = ""] = message.split("\n", 1);
  return line.replace(/:$/, "");
}
