/** A share from 0 to 1 as people write it: 0.025 = `2.5%`, with six digits at most. */
export function formatPercent(share: number): string {
  return `${Number((share * 100).toPrecision(6))}%`;
}
