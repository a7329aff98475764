/** A plot as SVG, for a page: bars or lines with whiskers, axes with units; light or dark as its reader has it. */
import { numberText, type Scale } from "../../../functions/sql-graph/scale.ts";
import { element, escaped, shortened, text, titled } from "../../../functions/sql-graph/svg.ts";
import { type BenchPlot, cellText, type PlotPoint } from "../bench-result.ts";
import { axisOf } from "./axis.ts";

const width = 860;
const height = 414;
const frame = { left: 84, right: 20, top: 78, bottom: 76 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };
const bottom = frame.top + inner.height;
const legendStep = 200;
const labelLettersMax = 26;
/** Of a letter of 13 units, about. */
const letterWidth = 7.2;
const barWidthMax = 64;
const whiskerHalf = 5;

/** Okabe and Ito's, told apart by colour-blind readers too; lighter ones on a dark ground. */
const light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c7a00"];
const dark = ["#56b4e9", "#e69f00", "#2fc79a", "#e3a6c8", "#d6c84a"];
const coloured = (colours: readonly string[]) =>
  colours.map((value, at) => `.fill.s${at}{fill:${value}}.line.s${at}{stroke:${value};fill:none}`).join("");
const style = `
.ground{fill:#fff}.ink{fill:#1f2933}.muted{fill:#52606d}.grid{stroke:#d9e0e6}.whisker{stroke:#1f2933}${coloured(light)}
@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.ink{fill:#e6edf3}.muted{fill:#9aa7b4}.grid{stroke:#30363d}.whisker{stroke:#e6edf3}${coloured(dark)}}`;

export function plotSvg(plot: BenchPlot): string {
  const points = plot.series.flatMap((one) => one.points);
  const y = axisOf(
    points.flatMap((point) => [point.y, point.high ?? point.y, point.low ?? point.y]),
    plot.logY ?? false,
  );
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "font-family": "system-ui, sans-serif",
      "font-size": 13,
    },
    [
      titled(plot.title),
      `<style>${style}</style>`,
      element("rect", { class: "ground", width, height, rx: 6 }),
      text(plot.title, { x: 20, y: 28, class: "ink", "font-size": 16, "font-weight": 600 }),
      legend(plot),
      yAxis(plot, y),
      plot.kind === "bars" ? bars(plot, y) : lines(plot, y),
      text(plot.x, { x: frame.left + inner.width / 2, y: height - 14, class: "muted", "text-anchor": "middle" }),
    ].join("\n"),
  );
}

/** @throws RangeError where it would run out of the picture, and colours repeat */
function legend({ name, series, whiskers }: BenchPlot): string {
  if (series.length * legendStep > width)
    throw new RangeError(`${name} has room for ${Math.floor(width / legendStep)} series, not ${series.length}`);
  const entries = series.map(({ name }, at) =>
    [
      element("rect", { class: `fill ${colour(at)}`, x: 20 + at * legendStep, y: 42, width: 12, height: 12, rx: 2 }),
      text(shortened(name, labelLettersMax), { x: 38 + at * legendStep, y: 53, class: "ink" }),
    ].join("\n"),
  );
  const note = { x: width - 20, y: 28, class: "muted", "text-anchor": "end", "font-size": 12 };
  return [...entries, ...(whiskers === "" ? [] : [text(`whiskers: ${whiskers}`, note)])].join("\n");
}

function yAxis({ y: label }: BenchPlot, scale: Scale): string {
  const ticks = scale.ticks.map((tick) => {
    const at = yOf(scale, tick);
    return [
      element("line", { class: "grid", x1: frame.left, x2: width - frame.right, y1: at, y2: at }),
      text(numberText(tick), { x: frame.left - 8, y: at + 4, class: "muted", "text-anchor": "end" }),
    ].join("\n");
  });
  const middle = frame.top + inner.height / 2;
  const turned = { x: 22, y: middle, class: "muted", "text-anchor": "middle", transform: `rotate(-90 22 ${middle})` };
  return [...ticks, text(label, turned)].join("\n");
}

function bars({ series }: BenchPlot, scale: Scale): string {
  const categories = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => String(x))))];
  const slot = inner.width / Math.max(1, categories.length);
  const each = Math.min(barWidthMax, (slot * 0.76) / Math.max(1, series.length));
  // Side by side they would run into each other: every other one stands lower.
  const isTight = categories.some((category) => (category.length + 1) * letterWidth > slot);
  return categories
    .map((category, index) => {
      const middle = frame.left + slot * (index + 0.5);
      const drawn = series.flatMap(({ name, points }, at) => {
        const point = points.find(({ x }) => String(x) === category);
        if (point === undefined || !Number.isFinite(point.y)) return [];
        const left = middle + (at - series.length / 2) * each;
        const top = yOf(scale, point.y);
        const area = { x: left + 1, y: top, width: each - 2, height: Math.max(1, bottom - top), rx: 1.5 };
        const bar = element("rect", { class: `fill ${colour(at)}`, ...area }, titled(label(name, point)));
        return [bar, whisker(point, left + each / 2, scale)];
      });
      const under = {
        x: middle,
        y: bottom + 20 + (isTight ? (index % 2) * 17 : 0),
        class: "ink",
        "text-anchor": "middle",
      };
      return [...drawn, text(shortened(category, labelLettersMax), under)].join("\n");
    })
    .join("\n");
}

function lines({ series, logX = false }: BenchPlot, scale: Scale): string {
  const all = series.flatMap(({ points }) => points.map(({ x }) => Number(x)));
  const x = axisOf(all, logX);
  const xOf = (value: number) => frame.left + 16 + (inner.width - 32) * x.at(value);
  const ticks = [...new Set(all)]
    .sort((a, b) => a - b)
    .map((value) => {
      const at = xOf(value);
      return [
        element("line", { class: "grid", x1: at, x2: at, y1: bottom, y2: bottom + 5 }),
        text(value.toLocaleString("en"), { x: at, y: bottom + 20, class: "ink", "text-anchor": "middle" }),
      ].join("\n");
    });
  const drawn = series.map(({ name, points }, at) => {
    const known = points.filter((point) => Number.isFinite(point.y));
    const path = known.map(
      (point, i) => `${i === 0 ? "M" : "L"}${fixed(xOf(Number(point.x)))} ${fixed(yOf(scale, point.y))}`,
    );
    const line = element("path", { class: `line ${colour(at)}`, d: path.join(""), "stroke-width": 2.5 });
    const dots = known.map((point) => {
      const [cx, cy] = [xOf(Number(point.x)), yOf(scale, point.y)];
      const dot = element("circle", { class: `fill ${colour(at)}`, cx, cy, r: 4 }, titled(label(name, point)));
      return `${whisker(point, cx, scale)}${dot}`;
    });
    return [known.length > 1 ? line : "", ...dots].join("\n");
  });
  return [...ticks, ...drawn].join("\n");
}

function whisker({ y, low = y, high = y }: PlotPoint, x: number, scale: Scale): string {
  if (!(high > low)) return "";
  const [top, foot] = [yOf(scale, high), yOf(scale, low)];
  const across = (at: number) => `M${fixed(x - whiskerHalf)} ${fixed(at)}H${fixed(x + whiskerHalf)}`;
  const d = `M${fixed(x)} ${fixed(top)}V${fixed(foot)}${across(top)}${low < y ? across(foot) : ""}`;
  return element("path", { class: "whisker", d, fill: "none", "stroke-width": 1.5 });
}

function label(name: string, { x, y, low, high }: PlotPoint): string {
  const range = [low, high].filter((one) => one !== undefined).map((one) => cellText(one));
  return `${x}, ${name}: ${cellText(y)}${range.length === 0 ? "" : ` (${range.join(" to ")})`}`;
}

function yOf(scale: Scale, value: number): number {
  return bottom - inner.height * Math.min(1, Math.max(0, scale.at(value)));
}

function colour(at: number): string {
  return `s${at % light.length}`;
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The text beside the picture, for who does not see it. */
export function plotAlt({ title, x, y }: BenchPlot): string {
  return escaped(`${title}: ${y} by ${x}`);
}
