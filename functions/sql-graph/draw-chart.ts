/** A chart as one SVG document. The same chart gives the same bytes. */
import type { Axis, Chart } from "./chart.ts";
import { drawBars } from "./draw-bars.ts";
import { drawLines } from "./draw-lines.ts";
import { colors, type Frame, frameOf, ink, mutedInk } from "./frame.ts";
import { numberText, type Scale, scaleOf } from "./scale.ts";
import { element, escaped, shortened, text, titled } from "./svg.ts";

const ticksWanted = 6;

export function drawChart(chart: Chart): string {
  const values = chart.series.flatMap((series) => series.values.filter((value) => value !== null));
  const scale = scaleOf(values, ticksWanted, chart.kind === "bars");
  const frame = frameOf(chart, scale.ticks.map(numberText));
  const isEmpty = values.length === 0;
  const parts = [
    titled(chart.title),
    `<desc>${escaped(descriptionOf(chart))}</desc>`,
    element("rect", { width: frame.width, height: frame.height, fill: "#ffffff" }),
    text(shortened(chart.title, 88), { x: frame.left, y: 30, "font-size": 18, "font-weight": 600, fill: ink }),
    drawLegend(chart, frame),
    isEmpty
      ? text("no values", {
          x: frame.left + frame.plotWidth / 2,
          y: frame.top + frame.plotHeight / 2,
          "text-anchor": "middle",
          fill: mutedInk,
        })
      : "",
    isEmpty ? "" : drawYAxis(scale, frame),
    isEmpty ? "" : chart.kind === "bars" ? drawBars(chart, scale, frame) : drawLines(chart, scale, frame),
    drawTitles(chart, frame),
  ];
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    role: "img",
    viewBox: `0 0 ${frame.width} ${frame.height}`,
    width: frame.width,
    height: frame.height,
    "font-family": "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
    "font-size": 13,
  };
  return `${element("svg", attributes, parts.filter((part) => part !== "").join("\n"))}\n`;
}

function descriptionOf({ kind, x, y, series, note }: Chart): string {
  const shape = kind === "bars" ? "Bar chart" : "Line chart";
  const names = series.map(({ name }) => name).filter((name) => name !== "");
  const by = names.length === 0 ? "" : `, for ${names.join(", ")}`;
  return `${shape} of ${axisText(y)} over ${axisText(x) || "all rows"}${by}.${note === "" ? "" : ` ${note}.`}`;
}

function axisText({ title, unit }: Axis): string {
  return unit === "" || unit === title ? title : `${title} (${unit})`;
}

function drawYAxis(scale: Scale, frame: Frame): string {
  return scale.ticks
    .map((tick) => {
      const y = frame.top + frame.plotHeight * (1 - scale.at(tick));
      const stroke = tick === 0 ? mutedInk : "#e3e6ea";
      return [
        element("line", { x1: frame.left, x2: frame.left + frame.plotWidth, y1: y, y2: y, stroke }),
        text(numberText(tick), { x: frame.left - 8, y: y + 4, "text-anchor": "end", fill: mutedInk }),
      ].join("\n");
    })
    .join("\n");
}

function drawTitles(chart: Chart, frame: Frame): string {
  const middle = frame.top + frame.plotHeight / 2;
  const below = frame.height - (chart.note === "" ? 16 : 34);
  return [
    text(shortened(axisText(chart.x), 80), {
      x: frame.left + frame.plotWidth / 2,
      y: below,
      "text-anchor": "middle",
      fill: ink,
    }),
    text(shortened(axisText(chart.y), 50), {
      x: 20,
      y: middle,
      transform: `rotate(-90 20 ${Math.round(middle)})`,
      "text-anchor": "middle",
      fill: ink,
    }),
    chart.note === "" ? "" : text(chart.note, { x: frame.left, y: frame.height - 12, "font-size": 12, fill: mutedInk }),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function drawLegend({ series }: Chart, frame: Frame): string {
  if (series.length < 2) return "";
  let x = frame.left;
  return series
    .map(({ name }, index) => {
      const label = shortened(name, 22);
      const swatch = element("rect", {
        x,
        y: 44,
        width: 12,
        height: 12,
        rx: 2,
        fill: colors[index % colors.length] ?? ink,
      });
      const entry = `${swatch}\n${text(label, { x: x + 18, y: 55, fill: ink })}`;
      x += 36 + Array.from(label).length * 7.5;
      return entry;
    })
    .join("\n");
}
