/** Durations in k6's manner: `1m30s`, `250ms`. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws Error naming `what`. @returns milliseconds */
export function durationMs(what: string, text: unknown): number {
  const parts = typeof text === "string" ? [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)] : [];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new Error(`${what}: must be a duration such as 30s or 1m30s, not ${String(text)}`);
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 0), 0);
}
