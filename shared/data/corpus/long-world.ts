/** Tables that are longer than a head, and queries of them that are run twice: for the head, and for the whole. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { DataSet, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { openStream, writeStream } from "../arrow-stream.ts";
import { runQuery, type SessionOptions, type SessionTerms } from "../session.ts";
import { toJsonTable } from "../table-json.ts";
import { notesOf } from "../table-notes.ts";
import { sourceOf } from "../table-source.ts";

/** Rows of Personen. */
export const people = 3_000;
/** Before it Gebdat has no value. */
const firstBorn = 1_500;

const dataSet = DataSet.fromPartial({
  name: "people",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [
    {
      name: "Personen",
      file: "Personen.csv",
      columns: [
        { name: "Gebdat", anonymize: "year", title: "Date of birth" },
        { name: "Naam", anonymize: "mask" },
      ],
    },
    { name: "Aanstellingen", file: "Aanstellingen.csv", columns: [{ name: "Code", anonymize: "drop" }] },
    { name: "Geheim", file: "Geheim.csv" },
  ],
});

export interface LongWorld {
  /** A table that came in pieces is put together again. @returns it, or as what it was refused */
  run(asked: Asked, headAlone: boolean): Promise<Table | string>;
  close(): Promise<void>;
}

export async function openLongWorld(): Promise<LongWorld> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-head-"));
  const lines = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("");
  const born = (i: number) => (i < firstBorn ? "" : `${1950 + (i % 50)}-03-0${1 + (i % 9)}`);
  const name = (i: number) => (i % 7 === 0 ? "" : `name ${i} ${"é".repeat(i % 23)}`);
  const persons = lines(people, (i) => `${i};${i % 3 ? "M" : "V"};${born(i)};${name(i)};secret\n`);
  await writeFile(join(folder, "Personen.csv"), `Unieknr;Geslacht;Gebdat;Naam;bsn\n${persons}`);
  const posts = lines(1_400, (i) => `${(i * 2) % 900};${i % 18};${i}.${i % 10}5;${20_100_101 + i};F${i % 5};0${i}\n`);
  await writeFile(join(folder, "Aanstellingen.csv"), `Unieknr;Salschal;Bedrag;Aanst_22;Functcat;Code\n${posts}`);
  await writeFile(join(folder, "Geheim.csv"), "wat\nsecret\n");
  return {
    run: (asked, headAlone) => runIn(folder, asked, headAlone),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Asked {
  readonly sql: string;
  readonly terms?: Partial<SessionTerms>;
  readonly anonymize?: boolean;
  readonly algorithm?: SessionOptions["algorithm"];
  readonly leftMs?: number;
}

async function runIn(
  folder: string,
  { sql, terms, anonymize = false, algorithm, leftMs = 60_000 }: Asked,
  headAlone: boolean,
): Promise<Table | string> {
  const pieces: Uint8Array[] = [];
  try {
    const table = await runQuery({
      sql,
      terms: {
        dataSets: ["people"],
        columns: undefined,
        deniedColumns: { tables: [{ table: "Personen", columns: ["bsn"] }] },
        rowFilters: [{ table: "Aanstellingen", predicate: "Salschal <> 17" }],
        ...terms,
      },
      dataSets: [dataSet],
      folders: { data: folder, cache: join(folder, "cache") },
      anonymize,
      memoryMb: 256,
      leftMs,
      emit: async (piece) => void pieces.push(piece),
      notes: { measure: { column: "Unieknr", groupBy: [] } },
      headAlone,
      ...(algorithm === undefined ? {} : { algorithm }),
    });
    if (table.transfer === undefined) return table;
    const { schema } = openStream(table);
    return { ...writeStream(schema, openStream({ ...table, arrowIpc: Buffer.concat(pieces) })), rows: table.rows };
  } catch (error) {
    if (!(error instanceof DynamosError)) throw error;
    return `${error.label}: ${error.message}`;
  }
}

/** What this machine's speed decides is compared with nothing. */
const hangsOnTheMachine = /^(DEADLINE_EXCEEDED|WORKER_OUT_OF_MEMORY)/;

export type Seen = "cut" | "whole" | "refused" | "neither";

/** The head is what the whole begins with, or there is none; both are refused alike. */
export async function compareHead({ run }: LongWorld, asked: Asked): Promise<Seen> {
  const whole = await run(asked, false);
  const head = await run(asked, true);
  if ([whole, head].some((one) => typeof one === "string" && hangsOnTheMachine.test(one))) return "neither";
  if (typeof whole === "string" || typeof head === "string") {
    const [asWhole, asHead] = [whole, head].map((one) => (typeof one === "string" ? one : "a table"));
    expect(asHead).toBe(asWhole);
    return "refused";
  }
  const { headOf: none, ...notes } = notesOf(whole);
  const { headOf, ...sameNotes } = notesOf(head);
  expect(none).toBeUndefined();
  expect(sameNotes).toEqual(notes);
  const [all, first] = [sourceOf(whole), sourceOf(head)];
  expect(first.specs).toEqual(all.specs);
  const [{ rows }, { rows: firstRows }] = [toJsonTable(whole.arrowIpc), toJsonTable(head.arrowIpc)];
  expect([all.rows, first.rows]).toEqual([rows.length, firstRows.length]);
  expect(firstRows).toEqual(rows.slice(0, firstRows.length));
  expect(first.headOf).toBe(headOf);
  if (headOf === undefined) {
    expect(firstRows.length).toBe(rows.length);
    return "whole";
  }
  expect(headOf).toBe(rows.length);
  expect(firstRows.length).toBeGreaterThan(0);
  expect(firstRows.length).toBeLessThanOrEqual(limits.headRows);
  return "cut";
}
