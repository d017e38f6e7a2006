import { resolve } from "node:path";

/*
 * What runs in the machine beside the scenarios. run.ts has made it, and starts them in the project's folder.
 */

/** The driver's bundle, as the image ships it, but without the flags for Node.js of `deploy/processes.json`: here they cost 0.6 s more at each start. */
export const driverCommand: readonly string[] = [process.execPath, resolve("dist/rds-csi.cjs")];

export const recordWriter: readonly string[] = [
  process.execPath,
  resolve(import.meta.dirname, "record-writer.mjs"),
];

export const relayBox: readonly string[] = [
  process.execPath,
  resolve(import.meta.dirname, "relay-box.mjs"),
];

/** The driver, which can be killed at each of its effects. */
export const mortalDriver: readonly string[] = [
  process.execPath,
  "--require",
  resolve(import.meta.dirname, "fault-point.mjs"),
  ...driverCommand.slice(1),
];

export const crowdWriter: readonly string[] = [
  process.execPath,
  resolve(import.meta.dirname, "crowd-writer.mjs"),
];

export const floodWriter: readonly string[] = [
  process.execPath,
  resolve(import.meta.dirname, "flood-writer.mjs"),
];
