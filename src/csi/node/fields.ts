import { DriverError } from "#domain/errors.ts";
import { parseVolumeId } from "#domain/volume-id.ts";

/** Longest path the kernel takes, the closing zero byte not counted. Source: limits.h, PATH_MAX. */
const maxPathBytes = 4_095;

/** @throws {DriverError} `invalid-argument` for a missing id, or one this driver never gave out. */
export function requireVolumeId(text: string): string {
  if (text === "") throw missing("volume_id");
  if (parseVolumeId(text) !== undefined) return text;
  throw new DriverError(
    "invalid-argument",
    `Cannot use volume_id "${text}": not an id of this driver`,
  );
}

/**
 * A path that means the same to the kernel, to mountinfo and to the records of this driver.
 * @throws {DriverError} `invalid-argument` naming the field.
 */
export function requirePath(path: string, field: string): string {
  if (path === "") throw missing(field);
  const problem = problemOf(path);
  if (problem === undefined) return path;
  throw new DriverError("invalid-argument", `Cannot use ${field} "${path}": ${problem}`);
}

/** @throws {DriverError} `invalid-argument` naming the field. */
export function requireText(text: string, field: string): string {
  if (text === "") throw missing(field);
  return text;
}

function problemOf(path: string): string | undefined {
  const [root, ...segments] = path.split("/");
  if (root !== "") return "it is not absolute";
  if (Buffer.byteLength(path) > maxPathBytes) return `it is longer than ${maxPathBytes} bytes`;
  if (path.includes("\0")) return "it contains a zero byte";
  const isPlain = segments.every(
    (segment) => segment !== "" && segment !== "." && segment !== "..",
  );
  return isPlain
    ? undefined
    : `it is not normalised: "//", "/./", "/../" and a "/" at the end are refused`;
}

function missing(field: string): DriverError {
  return new DriverError("invalid-argument", `Cannot use the request: ${field} is missing`);
}
