import { readFile } from "node:fs/promises";
import { type GenericSchema, getDotPath, type InferOutput, safeParse } from "valibot";
import { DriverError } from "#domain/errors.ts";
import { isMissing } from "./atomic-file.ts";

/**
 * Reads a file of this plugin's own.
 * @returns `undefined` when there is none.
 * @throws {DriverError} `internal`, naming file and place, for content that does not fit the schema: a file
 * that cannot be read must never pass for one that is not there.
 */
export async function readJsonFile<Schema extends GenericSchema>(
  path: string,
  schema: Schema,
): Promise<InferOutput<Schema> | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  const { success, output, issues } = safeParse(schema, parse(path, text));
  if (success) return output;
  const [issue] = issues;
  const place = getDotPath(issue) ?? "the top";
  throw new DriverError("internal", `Cannot read "${path}": ${issue.message} at ${place}`);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new DriverError("internal", `Cannot read "${path}": ${error}`, { cause: error });
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DriverError("internal", `Cannot read "${path}": it is not JSON`, { cause });
  }
}
