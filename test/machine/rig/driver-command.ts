import { join } from "node:path";

/** The bundle that run.ts has made. */
export const driverCommand: readonly string[] = [
  process.execPath,
  join(import.meta.dirname, "../../../dist/rds-csi.cjs"),
];
