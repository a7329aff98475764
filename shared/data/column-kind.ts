/**
 * The seven kinds of column that tables between steps have. Every integer width is an int64,
 * what does not fit one is a decimal of scale 0: so the union and the algorithms have seven
 * cases and no value changes.
 */
import {
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int64,
  TimestampMicrosecond,
  Type,
  Utf8,
} from "apache-arrow";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export type ColumnKind = "boolean" | "int64" | "decimal" | "double" | "text" | "date" | "timestamp";

/**
 * A cell: boolean; bigint for int64, for decimals (unscaled) and for timestamps (microseconds
 * since the epoch); number for doubles and dates (days since the epoch); string; null.
 */
export type Cell = boolean | bigint | number | string | null;

export interface ColumnSpec {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Decimals only: digits in all, at most 38. */
  readonly precision?: number;
  /** Decimals only: digits after the point. */
  readonly scale?: number;
  /** For people: axis title and unit. */
  readonly title?: string;
  readonly unit?: string;
  /** What sql-anonymize is to do: `year`, `mask` or `drop`. */
  readonly anonymize?: string;
  /** The rule by which sql-anonymize has changed the values: they no longer mean what others' do. */
  readonly anonymized?: string;
  /** `true`: no row has a value in it, so that its type means nothing. */
  readonly empty?: string;
}

const notes = ["title", "unit", "anonymize", "anonymized", "empty"] as const;

export function fieldOf(spec: ColumnSpec): Field {
  const metadata = new Map(notes.flatMap((note) => (spec[note] ? [[note, spec[note]] as const] : [])));
  return new Field(spec.name, arrowTypeOf(spec), true, metadata);
}

/** @throws DynamosError TYPE_MISMATCH for a column of no kind of ours: it did not come from one of our steps */
export function specOf(field: Field): ColumnSpec {
  const spec = kindOf(field);
  if (spec !== undefined && isSameType(field.type, arrowTypeOf(spec))) return spec;
  throw new DynamosError(ErrorCode.TYPE_MISMATCH, `column ${field.name} has a type that tables do not carry`);
}

/** Unit, width and digits included. */
export function isSameType(a: DataType, b: DataType): boolean {
  const width = (type: DataType) => (type as Partial<Decimal>).bitWidth;
  return String(a) === String(b) && width(a) === width(b);
}

/** By the family of the type alone. */
function kindOf(field: Field): ColumnSpec | undefined {
  const type: DataType = field.type;
  const told = Object.fromEntries(
    notes.flatMap((note) => (field.metadata.get(note) ? [[note, field.metadata.get(note)]] : [])),
  );
  const base = { name: field.name, ...told };
  switch (type.typeId) {
    case Type.Bool:
      return { ...base, kind: "boolean" };
    case Type.Int:
      return { ...base, kind: "int64" };
    case Type.Decimal:
      return { ...base, kind: "decimal", precision: (type as Decimal).precision, scale: (type as Decimal).scale };
    case Type.Float:
      return { ...base, kind: "double" };
    case Type.Utf8:
      return { ...base, kind: "text" };
    case Type.Date:
      return { ...base, kind: "date" };
    case Type.Timestamp:
      return { ...base, kind: "timestamp" };
    default:
      return undefined;
  }
}

/** As errors and JSON show it: `int64`, `decimal(10,2)`, … */
export function kindText({ kind, precision, scale }: ColumnSpec): string {
  return kind === "decimal" ? `decimal(${precision ?? 38},${scale ?? 0})` : kind;
}

export function isNumeric({ kind }: ColumnSpec): boolean {
  return kind === "int64" || kind === "decimal" || kind === "double";
}

function arrowTypeOf({ kind, precision, scale }: ColumnSpec): DataType {
  switch (kind) {
    case "boolean":
      return new Bool();
    case "int64":
      return new Int64();
    case "decimal":
      return new Decimal(scale ?? 0, precision ?? 38, 128);
    case "double":
      return new Float64();
    case "text":
      return new Utf8();
    case "date":
      return new DateDay();
    case "timestamp":
      return new TimestampMicrosecond();
  }
}
