/** Numbers on an axis, by steps or by powers of ten. */
import { type Scale, scaleOf } from "../../../functions/sql-graph/scale.ts";

const ticksWanted = 6;

export function axisOf(values: readonly number[], isLog: boolean): Scale {
  const finite = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  return isLog ? logScale(finite) : scaleOf(finite, ticksWanted, true);
}

/** From the power of ten, or 2 or 5 times it, that is below the least to that above the most. */
function logScale(values: readonly number[]): Scale {
  const [least, most] = values.length === 0 ? [1, 10] : [Math.min(...values), Math.max(...values)];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(least)) - 1; power <= Math.ceil(Math.log10(most)) + 1; power++) {
    for (const factor of [1, 2, 5]) marks.push(Number((factor * 10 ** power).toPrecision(3)));
  }
  // Below it, so that the least has a bar that is seen.
  const low = marks.filter((mark) => mark < least).at(-1) ?? least;
  const found = marks.find((mark) => mark >= most) ?? most;
  const high = found > low ? found : low * 10;
  const inside = marks.filter((mark) => mark >= low && mark <= high);
  // Of a wide range the powers of ten alone.
  const tens = inside.filter((mark) => Number.isInteger(Math.round(Math.log10(mark) * 1e9) / 1e9));
  const ticks = inside.length > 9 && tens.length > 1 ? tens : inside;
  return { low, high, ticks, at: (value) => Math.log(value / low) / Math.log(high / low) };
}
