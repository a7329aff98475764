/** `1 day`, `12 hours`, `1 day 30 minutes`: for sentences about a quota. */
export function periodInWords(periodMs: number): string {
  const words: string[] = [];
  let leftMs = periodMs;
  for (const [unit, unitMs] of units) {
    const count = Math.floor(leftMs / unitMs);
    leftMs -= count * unitMs;
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return words.join(" ") || "no time";
}

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;
