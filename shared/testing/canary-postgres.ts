/** The data of the corpus in a PostgreSQL, whose role sees all of it: what is kept back is kept back by the session. */
import { DataSet } from "#contracts";
import { type CanaryWorld, canary, canaryDataSet, canaryWorldOf, privateName } from "#data/corpus/canary-world";
import type { Postgres } from "./postgres.ts";
import { makeReaderFolder, makeReaderRole, readerName } from "./postgres-reader.ts";

const file = "people.postgres.json";

const tables = `
  CREATE TABLE "Personen" ("Unieknr" bigint, "Geslacht" text, "Gebdat" date, "Naam" text, bsn text);
  INSERT INTO "Personen" VALUES
    (1, 'V', '1990-01-01', '${privateName} 🙂', '${canary}'), (2, 'M', '1980-02-29', NULL, '${canary}'),
    (0, 'V', '1970-12-31', 'a;b ${privateName}', '${canary}'),
    (999, '${canary}', '1985-05-05', '${canary}', '${canary}-row');
  CREATE TABLE "Aanstellingen" ("Unieknr" int, "Salschal" smallint, "Bedrag" numeric(6,2), "Aanst_22" int, "Functcat" varchar(40), "Code" char(4));
  INSERT INTO "Aanstellingen" VALUES
    (1, 10, 1.10, 20200101, 'WP', '007'), (2, 12, 2.20, 20210101, 'OBP', '010'),
    (999, 7391, 7391.39, 73917391, '${canary}', '7391');
  CREATE TABLE "Geheim" (wat text);
  INSERT INTO "Geheim" VALUES ('${canary}');
  GRANT SELECT ON "Personen", "Aanstellingen", "Geheim" TO ${readerName};`;

export async function openCanaryPostgres(server: Postgres): Promise<CanaryWorld> {
  await makeReaderRole(server);
  await server.run(tables);
  const folder = await makeReaderFolder(server, file);
  const dataSet = DataSet.fromPartial({
    ...canaryDataSet,
    type: "postgres",
    tables: canaryDataSet.tables.map((table) => ({ ...table, file })),
  });
  return canaryWorldOf(dataSet, folder.data, folder.remove);
}
