/** What a chart shows, before anything is drawn. */
export interface Series {
  /** For the legend; empty when there is only one. */
  readonly name: string;
  /** One for each category or position; null: nothing to draw there. */
  readonly values: readonly (number | null)[];
}

export interface Axis {
  readonly title: string;
  /** Empty: none. */
  readonly unit: string;
}

interface Described {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** What a reader should know, e.g. how many bars were left out; may be empty. */
  readonly note: string;
}

export interface BarChart extends Described {
  readonly kind: "bars";
  readonly categories: readonly string[];
}

export interface LineChart extends Described {
  readonly kind: "line";
  /** Ascending; days since 1970-01-01 where `xIsDate`. */
  readonly positions: readonly number[];
  readonly xIsDate: boolean;
}

export type Chart = BarChart | LineChart;
