/** The bars of a chart, and what is written below and on them. */
import type { BarChart } from "./chart.ts";
import { colors, type Frame, ink, mutedInk } from "./frame.ts";
import { type Scale, shortText } from "./scale.ts";
import { element, shortened, text, titled } from "./svg.ts";

/** More bars than these have no room for a number on each. */
const numberedBarsMax = 16;
/** Of a category's width, left free between it and the next. */
const gapShare = 0.24;
const barWidthMax = 90;

export function drawBars(chart: BarChart, scale: Scale, frame: Frame): string {
  const slot = frame.plotWidth / Math.max(1, chart.categories.length);
  const barWidth = Math.min(barWidthMax, (slot * (1 - gapShare)) / chart.series.length);
  const barCount = chart.categories.length * chart.series.length;
  return chart.categories
    .map((category, index) => {
      const middle = frame.left + slot * (index + 0.5);
      const start = middle - (barWidth * chart.series.length) / 2;
      const bars = chart.series.map(({ name, values }, at) =>
        drawBar({
          value: values[index] ?? null,
          label: [category, name].filter((part) => part !== "").join(", "),
          x: start + at * barWidth,
          width: barWidth,
          color: colors[at % colors.length] ?? ink,
          isNumbered: barCount <= numberedBarsMax,
          scale,
          frame,
        }),
      );
      return [...bars, drawLabel(category, middle, frame)].filter((part) => part !== "").join("\n");
    })
    .join("\n");
}

interface Bar {
  readonly value: number | null;
  readonly label: string;
  readonly x: number;
  readonly width: number;
  readonly color: string;
  readonly isNumbered: boolean;
  readonly scale: Scale;
  readonly frame: Frame;
}

function drawBar({ value, label, x, width, color, isNumbered, scale, frame }: Bar): string {
  if (value === null) return "";
  const yOf = (number: number) => frame.top + frame.plotHeight * (1 - scale.at(number));
  const y = Math.min(yOf(value), yOf(0));
  const height = Math.abs(yOf(value) - yOf(0));
  const bar = element(
    "rect",
    { x: x + 1, y, width: Math.max(1, width - 2), height, rx: 1.5, fill: color },
    titled(`${label}: ${shortText(value)}`),
  );
  if (!isNumbered) return bar;
  const numberY = value < 0 ? y + height + 15 : y - 5;
  return `${bar}\n${text(shortText(value), { x: x + width / 2, y: numberY, "text-anchor": "middle", "font-size": 12, fill: ink })}`;
}

function drawLabel(category: string, x: number, frame: Frame): string {
  const label = shortened(category, frame.labelLettersMax);
  const y = frame.top + frame.plotHeight + 18;
  if (!frame.turnsLabels) return text(label, { x, y, "text-anchor": "middle", fill: mutedInk });
  const at = `${Math.round(x + 4)} ${Math.round(y - 4)}`;
  return text(label, { x: x + 4, y: y - 4, transform: `rotate(-45 ${at})`, "text-anchor": "end", fill: mutedInk });
}
