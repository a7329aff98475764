/** The lines of a chart and its horizontal axis. */
import { dayText } from "#data/cell-text";
import type { LineChart } from "./chart.ts";
import { colors, type Frame, ink, mutedInk } from "./frame.ts";
import { numberText, type Scale, scaleOf, shortText } from "./scale.ts";
import { element, text, titled } from "./svg.ts";

const ticksWanted = 7;
/** More points than these are a line only. */
const dotsMax = 60;
/** Room for the first and the last label, which stand below the ends of the line. */
const inset = 30;

export function drawLines(chart: LineChart, yScale: Scale, frame: Frame): string {
  const { positions } = chart;
  const low = positions[0] ?? 0;
  const high = positions.at(-1) ?? low + 1;
  const span = high > low ? high - low : 1;
  const xOf = (position: number) => frame.left + inset + ((frame.plotWidth - 2 * inset) * (position - low)) / span;
  const yOf = (value: number) => frame.top + frame.plotHeight * (1 - yScale.at(value));
  const lines = chart.series.map(({ name, values }, index) => {
    const color = colors[index % colors.length] ?? ink;
    const points = values.flatMap((value, at) =>
      value === null ? [] : [{ x: xOf(positions[at] ?? 0), y: yOf(value), at, value }],
    );
    const path = points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${fixed(x)} ${fixed(y)}`).join("");
    const label = name === "" ? chart.y.title : name;
    const dots = points.map(({ x, y, at, value }) =>
      element(
        "circle",
        { cx: x, cy: y, r: 3, fill: color },
        titled(`${positionText(chart, positions[at] ?? 0)}, ${label}: ${shortText(value)}`),
      ),
    );
    const line = element(
      "path",
      { d: path, fill: "none", stroke: color, "stroke-width": 2, "stroke-linejoin": "round" },
      titled(label),
    );
    return [line, ...(points.length <= dotsMax ? dots : [])].join("\n");
  });
  return [...ticksOf(chart).map((position) => drawTick(chart, position, xOf(position), frame)), ...lines].join("\n");
}

function drawTick(chart: LineChart, position: number, x: number, frame: Frame): string {
  const bottom = frame.top + frame.plotHeight;
  return [
    element("line", { x1: x, x2: x, y1: bottom, y2: bottom + 5, stroke: mutedInk }),
    text(positionText(chart, position), { x, y: bottom + 19, "text-anchor": "middle", fill: mutedInk }),
  ].join("\n");
}

/** Few positions are their own ticks; dates are taken from the positions, since no round step fits months and years. */
function ticksOf({ positions, xIsDate }: LineChart): readonly number[] {
  if (positions.length <= ticksWanted) return positions;
  if (xIsDate) {
    const step = (positions.length - 1) / (ticksWanted - 1);
    return Array.from({ length: ticksWanted }, (_, index) => positions[Math.round(index * step)] ?? 0);
  }
  const low = positions[0] ?? 0;
  const high = positions.at(-1) ?? low;
  return scaleOf([low, high], ticksWanted, false).ticks.filter((tick) => tick >= low && tick <= high);
}

function positionText({ xIsDate }: LineChart, position: number): string {
  return xIsDate ? dayText(Math.floor(position)) : numberText(position);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
