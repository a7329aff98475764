/** The data of the corpus, with values in it that nobody may ever see. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataSet, type Table } from "#contracts";
import { runQuery, type SessionOptions, type SessionTerms } from "../session.ts";

/** In the column bsn, the table Geheim and the row that is filtered out. */
export const canary = "CANARY-7391";
/** Of a column that is permitted: may be in rows, never in what is said. */
export const privateName = "Zoekmijniet";

export const canaryDataSet = DataSet.fromPartial({
  name: "people",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [
    { name: "Personen", file: "Personen.csv", columns: [{ name: "Gebdat", title: "Date of birth" }] },
    { name: "Aanstellingen", file: "Aanstellingen.csv" },
    { name: "Geheim", file: "Geheim.csv" },
  ],
});

export const canaryTerms: SessionTerms = {
  dataSets: ["people"],
  columns: {
    tables: [
      { table: "Personen", columns: ["Unieknr", "Geslacht", "Gebdat", "Naam"] },
      { table: "Aanstellingen", columns: ["Unieknr", "Salschal", "Bedrag", "Aanst_22", "Functcat"] },
    ],
  },
  rowFilters: [
    { table: "Personen", predicate: "bsn NOT LIKE '%-row' OR Unieknr < 900" },
    { table: "Aanstellingen", predicate: "Unieknr <> 999" },
  ],
};

export interface CanaryWorld {
  run(sql: string, change?: Partial<Omit<SessionOptions, "terms">> & { terms?: Partial<SessionTerms> }): Promise<Table>;
  close(): Promise<void>;
}

export async function openCanaryWorld(): Promise<CanaryWorld> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-canary-"));
  await writeFile(
    join(folder, "Personen.csv"),
    [
      "Unieknr;Geslacht;Gebdat;Naam;bsn",
      `1;V;1990-01-01;${privateName} 🙂;${canary}`,
      `2;M;1980-02-29;;${canary}`,
      `0;V;1970-12-31;"a;b ${privateName}";${canary}`,
      `999;${canary};1985-05-05;${canary};${canary}-row`,
      "",
    ].join("\r\n"),
  );
  await writeFile(
    join(folder, "Aanstellingen.csv"),
    "Unieknr;Salschal;Bedrag;Aanst_22;Functcat;Code\r1;10;1.10;20200101;WP;007\r2;12;2.20;20210101;OBP;010\r999;7391;7391.39;73917391;CANARY-7391;7391\r",
  );
  await writeFile(join(folder, "Geheim.csv"), `wat\n${canary}\n`);
  return canaryWorldOf(canaryDataSet, folder, () => rm(folder, { recursive: true, force: true }));
}

/** The same world wherever its data set is. */
export function canaryWorldOf(set: DataSet, folder: string, close: () => Promise<void>): CanaryWorld {
  return {
    run: (sql, change = {}) =>
      runQuery({
        sql,
        dataSets: [set],
        folders: { data: folder, cache: join(folder, "cache") },
        anonymize: false,
        memoryMb: 128,
        leftMs: 20_000,
        emit: async () => {},
        notes: {},
        ...change,
        terms: { ...canaryTerms, ...change.terms },
      }),
    close,
  };
}
