/** @param share from 0 to 1; nearest rank. NaN for no values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** How far a part of the values is from the middle one: the larger of the two sides, as a share of it. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return Math.max(middle - percentile(values, 0.05), percentile(values, 0.95) - middle) / middle;
}
