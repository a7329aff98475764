/** What goes with a table as a whole: Arrow schema metadata, so that it survives any number of hops. */
import type { Schema } from "apache-arrow";
import type { Table } from "#contracts";
import { openStream } from "./arrow-stream.ts";

export interface TableNotes {
  /** The data set's: what an algorithm computes over when the user names no column. */
  readonly measure?: { readonly column: string; readonly groupBy: readonly string[] };
  /** The algorithm that made the table: its name, which is also its column's, and what it computed over. */
  readonly algorithm?: { readonly name: string; readonly over: string };
  /** Sentences for the asker: what was changed or left out, and why. */
  readonly remarks?: readonly string[];
  /** The table is a head: the first rows of one that has so many. */
  readonly headOf?: number;
}

const key = "dynamos.notes";

/** @throws DynamosError ENVELOPE_INVALID */
export function notesOf(table: Table): TableNotes {
  return notesIn(openStream(table).schema);
}

/** Notes that can't be read count as none: they are an aid, not data. */
export function notesIn({ metadata }: Schema): TableNotes {
  try {
    const notes: unknown = JSON.parse(metadata.get(key) ?? "{}");
    return typeof notes === "object" && notes !== null ? notes : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** As the schema holds them. */
export function metadataOf(notes: TableNotes): Map<string, string> {
  return new Map([[key, JSON.stringify(notes)]]);
}
