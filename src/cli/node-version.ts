/** package.json says the same in `engines`. */
const minimum = [24, 12] as const;

/** @returns what to tell somebody whose Node.js is too old, or `undefined`. */
export function nodeComplaint(running: string): string | undefined {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  const enough = major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
  if (enough) return undefined;
  return `Cannot run on Node.js ${running}: rds-csi needs ${minimum.join(".")} or later`;
}
