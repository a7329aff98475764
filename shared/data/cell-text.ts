/** Cells as people and JSON read them. */
import type { Cell, ColumnSpec } from "./column-kind.ts";

const microsPerDay = 86_400_000_000n;

/** `1990`, `12.50`, `2020-01-31`, `2020-01-31T10:00:00.000001`; exact. */
export function cellText(cell: Exclude<Cell, null>, spec: ColumnSpec): string {
  switch (spec.kind) {
    case "decimal":
      return decimalText(cell as bigint, spec.scale ?? 0);
    case "date":
      return dayText(cell as number);
    case "timestamp":
      return timestampText(cell as bigint);
    default:
      return String(cell);
  }
}

export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** @param days since 1970-01-01, proleptic Gregorian */
export function dayText(days: number): string {
  const date = new Date(days * 86_400_000);
  if (Number.isNaN(date.getTime())) return `${days} days after 1970-01-01`;
  const year = date.getUTCFullYear();
  const yearText =
    year < 0 || year > 9999
      ? `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`
      : String(year).padStart(4, "0");
  return `${yearText}-${String(date.getUTCMonth() + 1).padStart(2, "0")}-${String(date.getUTCDate()).padStart(2, "0")}`;
}

function timestampText(micros: bigint): string {
  const inDay = ((micros % microsPerDay) + microsPerDay) % microsPerDay;
  const day = dayText(Number((micros - inDay) / microsPerDay));
  const seconds = Number(inDay / 1_000_000n);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = inDay % 1_000_000n;
  return fraction === 0n ? `${day}T${time}` : `${day}T${time}.${String(fraction).padStart(6, "0")}`;
}
