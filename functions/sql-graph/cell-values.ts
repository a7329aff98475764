/** Cells as a chart needs them: numbers to measure, texts to read. */
import { cellText } from "#data/cell-text";
import type { Cell, ColumnSpec } from "#data/column-kind";
import type { ColumnView } from "#data/table-view";
import type { Axis } from "./chart.ts";

const millisPerDay = 86_400_000;
const compactDate = /^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$/;

/** Differences of larger numbers, and steps between ones closer to zero than its inverse, may not be numbers. */
const drawableMax = 1e290;

/** Null also for what has no place on an axis. */
export function numberOf(cell: Cell, spec: ColumnSpec): number | null {
  if (cell === null || typeof cell === "boolean" || typeof cell === "string") return null;
  const number = spec.kind === "decimal" ? Number(cellText(cell, spec)) : Number(cell);
  if (!(Math.abs(number) < drawableMax)) return null;
  return Math.abs(number) < 1 / drawableMax ? 0 : number;
}

export function labelOf(cell: Cell, spec: ColumnSpec): string {
  if (cell === null) return "(none)";
  const text = cellText(cell, spec);
  return text === "" ? "(empty)" : text;
}

export function axisOf({ name, title, unit }: ColumnSpec): Axis {
  return { title: title || name, unit: unit ?? "" };
}

export interface Positions {
  readonly isDate: boolean;
  /** One a row; null where there is no value. */
  readonly values: readonly (number | null)[];
}

/**
 * A column as positions on a line: dates, timestamps, whole numbers that are all `yyyymmdd`, and numbers.
 *
 * @returns undefined for a column that has no order of its own
 */
export function positionsOf({ spec, cells }: ColumnView): Positions | undefined {
  switch (spec.kind) {
    case "date":
      return { isDate: true, values: cells.map((cell) => (typeof cell === "number" ? cell : null)) };
    case "timestamp":
      return {
        isDate: true,
        values: cells.map((cell) => (typeof cell === "bigint" ? Number(cell) / 86_400_000_000 : null)),
      };
    case "int64":
      if (cells.length > 0 && cells.every((cell) => cell === null || compactDate.test(String(cell)))) {
        return { isDate: true, values: cells.map((cell) => (cell === null ? null : dayOf(String(cell)))) };
      }
      return { isDate: false, values: cells.map((cell) => numberOf(cell, spec)) };
    case "decimal":
    case "double":
      return { isDate: false, values: cells.map((cell) => numberOf(cell, spec)) };
    default:
      return undefined;
  }
}

function dayOf(yyyymmdd: string): number {
  const part = (from: number, to: number) => Number(yyyymmdd.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8)) / millisPerDay;
}
