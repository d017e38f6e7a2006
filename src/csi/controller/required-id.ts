import { DriverError } from "#domain/errors.ts";

/** @throws {DriverError} `invalid-argument` when a REQUIRED field was left empty. */
export function requiredId(
  value: string,
  field: "volume_id" | "node_id" | "snapshot_id" | "source_volume_id",
): string {
  if (value !== "") return value;
  throw new DriverError("invalid-argument", `Cannot answer the call: ${field} is missing`);
}
