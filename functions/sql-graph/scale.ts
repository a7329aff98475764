/** Numbers on axes. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  /** Ascending, from `low` to `high`. */
  readonly ticks: readonly number[];
  /** @returns 0 at `low`, 1 at `high` */
  readonly at: (value: number) => number;
}

/** Round ticks around the values. @param fromZero whether zero is on the axis whatever the values are: bars need it */
export function scaleOf(values: readonly number[], ticksWanted: number, fromZero: boolean): Scale {
  let least = fromZero ? 0 : Number.POSITIVE_INFINITY;
  let most = fromZero ? 0 : Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (!(most > least)) {
    const middle = Number.isFinite(least) ? least : 0;
    least = fromZero ? Math.min(0, middle) : middle - 1;
    most = Math.max(middle + 1, least + 1);
  }
  const wanted = stepBetween(least, most, ticksWanted);
  // Half a row is no number of rows.
  const step = values.every(Number.isInteger) ? Math.max(1, wanted) : wanted;
  const first = Math.floor(least / step + 1e-9);
  const last = Math.ceil(most / step - 1e-9);
  // From whole numbers of steps, so that rounding does not add up.
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => rounded((first + index) * step));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  return { low, high, ticks, at: (value) => (value - low) / (high - low) };
}

/** Round, at least a `parts`-th of the range, and large enough to be told apart beside its ends. */
export function stepBetween(least: number, most: number, parts: number): number {
  return niceStep(Math.max((most - least) / parts, Math.max(Math.abs(least), Math.abs(most)) * 1e-11));
}

/** The next of 1, 2, 5 times a power of ten that is not below. */
function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return rounded(factor * power);
}

/** `12,345.6`, and `2019` since years are numbers too; very large and very small ones as `1.20e+21`. */
export function numberText(value: number): string {
  const number = rounded(value);
  if (number !== 0 && (Math.abs(number) >= 1e15 || Math.abs(number) < 1e-6)) return number.toExponential(2);
  const [whole = "", fraction] = String(number).split(".");
  const grouped = whole.replace("-", "").length < 5 ? whole : whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Three digits after the point at most, for the number on a bar. */
export function shortText(value: number): string {
  return Math.abs(value) >= 1e15
    ? numberText(value)
    : numberText(Math.abs(value) < 0.01 ? value : Math.round(value * 1_000) / 1_000);
}

function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
