export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const TiB = 1024 * GiB;

/** The smallest multiple of `unit` that is not below `bytes`. */
export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** For people: `1.5 GiB`, `512 B`. Never parse it. */
export function formatBytes(bytes: number): string {
  const exponent = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const value = bytes / 1024 ** exponent;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[exponent]}`;
}
