/** The two pictures of a run, as SVG. Times by a logarithmic scale: a late answer must not hide the others. */

export interface Moment {
  readonly second: number;
  readonly right: number;
  readonly shed: number;
  readonly wrong: number;
}

export interface Took {
  /** Seconds since the start of the run. */
  readonly s: number;
  readonly ms: number;
}

const [width, height, left, bottom, top] = [900, 220, 60, 24, 8];
const inner = { width: width - left - 10, height: height - bottom - top };
const colours = { right: "#2a7f62", shed: "#d9a400", wrong: "#c0392b" };

export function scatterOf(points: readonly Took[]): string {
  const endS = Math.max(1, ...points.map(({ s }) => s));
  const decades = { low: 10, high: 10 ** Math.ceil(Math.log10(Math.max(100, ...points.map(({ ms }) => ms)))) };
  const y = (ms: number) =>
    top + inner.height * (1 - Math.log(Math.max(ms, decades.low) / decades.low) / Math.log(decades.high / decades.low));
  const lines: string[] = [];
  for (let ms = decades.low; ms <= decades.high; ms *= 10) lines.push(gridLine(y(ms), `${ms} ms`));
  const dots = points.map(({ s, ms }) => `<circle cx="${fixed(xOf(s, endS))}" cy="${fixed(y(ms))}" r="2"/>`);
  return svg(`${lines.join("")}<g fill="${colours.right}" fill-opacity=".6">${dots.join("")}</g>${timeAxis(endS)}`);
}

export function barsOf(moments: readonly Moment[]): string {
  const endS = Math.max(1, ...moments.map(({ second }) => second + 1));
  const most = Math.max(1, ...moments.map(({ right, shed, wrong }) => right + shed + wrong));
  const barWidth = Math.max(1, inner.width / endS - 1);
  const bars = moments.flatMap((moment) => {
    let below = 0;
    return (["right", "shed", "wrong"] as const).map((kind) => {
      const size = (moment[kind] / most) * inner.height;
      below += size;
      const y = top + inner.height - below;
      return `<rect x="${fixed(xOf(moment.second, endS))}" y="${fixed(y)}" width="${fixed(barWidth)}" height="${fixed(size)}" fill="${colours[kind]}"/>`;
    });
  });
  return svg(`${gridLine(top, String(most))}${gridLine(top + inner.height, "0")}${bars.join("")}${timeAxis(endS)}`);
}

function xOf(s: number, endS: number): number {
  return left + (s / endS) * inner.width;
}

function gridLine(y: number, label: string): string {
  const line = `<line x1="${left}" x2="${width - 10}" y1="${fixed(y)}" y2="${fixed(y)}" stroke="#ddd"/>`;
  return `${line}<text x="${left - 6}" y="${fixed(y + 4)}" text-anchor="end">${label}</text>`;
}

function timeAxis(endS: number): string {
  const y = height - 6;
  return `<text x="${left}" y="${y}">0 s</text><text x="${width - 10}" y="${y}" text-anchor="end">${Math.round(endS)} s</text>`;
}

function svg(content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img">${content}</svg>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
