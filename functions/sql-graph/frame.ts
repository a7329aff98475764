/** Where things are in a chart; lengths in SVG units. */
import type { Chart } from "./chart.ts";

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly plotWidth: number;
  readonly plotHeight: number;
  /** Whether the labels below the bars are turned so that they do not run into each other. */
  readonly turnsLabels: boolean;
  readonly labelLettersMax: number;
}

/** Told apart by colour-blind readers too. Source: Okabe and Ito, "Color Universal Design", 2008. */
export const colors = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7a00", "#4d4d4d"] as const;
export const ink = "#1f2933";
export const mutedInk = "#52606d";

const labelLettersMax = 24;
/** Turned ones reach to the left of their bar. */
const turnedLettersMax = 14;
/** Of a letter of 13 units, about. */
const letterWidth = 7.2;

export function frameOf(chart: Chart, tickLabels: readonly string[]): Frame {
  const width = 860;
  const tickWidth = Math.max(...tickLabels.map((label) => label.length), 1) * letterWidth;
  const left = 48 + tickWidth;
  const plotWidth = width - left - 28;
  const lengths = chart.kind === "bars" ? chart.categories.map((label) => Array.from(label).length) : [];
  const longest = Math.min(Math.max(...lengths, 1), labelLettersMax) * letterWidth;
  const turnsLabels = lengths.length > 0 && longest + 6 > plotWidth / lengths.length;
  const turnedHeight = Math.min(longest, turnedLettersMax * letterWidth) * 0.72 + 16;
  const labelHeight = turnsLabels ? turnedHeight : 20;
  const top = chart.series.length > 1 ? 78 : 56;
  const plotHeight = 320;
  const height = Math.round(top + plotHeight + labelHeight + 34 + (chart.note === "" ? 0 : 18));
  return {
    width,
    height,
    left,
    top,
    plotWidth,
    plotHeight,
    turnsLabels,
    labelLettersMax: turnsLabels ? turnedLettersMax : labelLettersMax,
  };
}
