/** @throws Error naming the option and its range */
export function wholeNumber(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`${option} ${text}: must be a whole number from ${min} to ${max}`);
}
