/** The whole system where one party has its data in PostgreSQL, over TLS, and another in files. */
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasOpenssl, makeAuthority } from "#testing/certificates";
import { hasPostgres, type Postgres, startPostgres } from "#testing/postgres";
import { makeReaderFolder, makeReaderRole, type ReaderFolder, readerName } from "#testing/postgres-reader";
import { openRealSystem, type RealSystem } from "#testing/real-system";
import { golden, hasWageGapData, numbersByParty, q1, q4, wageGapData } from "#testing/wage-gap-data";
import { ask } from "../commands/ask.ts";

const file = "wageGap_UVA.postgres.json";
const types: Readonly<Record<string, string>> = {
  Unieknr: "bigint",
  Salschal: "numeric",
  Gebdat: "integer",
  Functcat: "integer",
};

describe.skipIf(!hasWageGapData() || !hasPostgres() || !hasOpenssl())("UVA in PostgreSQL, VU in files", () => {
  const closers: (() => Promise<unknown>)[] = [];
  let server: Postgres;
  let reader: ReaderFolder;
  let real: RealSystem;
  let strangersCa: string;
  let certificates: string;

  beforeAll(async () => {
    certificates = await mkdtemp(join(tmpdir(), "dynamos-pg-tls-"));
    closers.push(() => rm(certificates, { recursive: true, force: true }));
    const authority = await makeAuthority(certificates, "authority");
    strangersCa = (await makeAuthority(certificates, "stranger")).cert;
    server = await startPostgres({ tls: await authority.sign("server", "IP:127.0.0.1") });
    closers.push(() => server.stop());
    await makeReaderRole(server);
    for (const table of ["Personen", "Aanstellingen"]) await load(table);
    await server.run(`CREATE VIEW "Slow" AS SELECT i, pg_sleep(90)::text AS t FROM generate_series(1, 3) i;
      GRANT SELECT ON "Slow" TO ${readerName}`);
    reader = await makeReaderFolder(server, file);
    closers.push(() => reader.remove());
    await reader.write({ tls: "verify-full", caFile: authority.cert });
    for (const name of ["Personen_VU.csv", "Aanstellingen_VU.csv"]) {
      await symlink(join(wageGapData, name), join(reader.data, name));
    }
    real = await openRealSystem({ broker: "memory", sidecars: "in-process", dataDir: reader.data });
    closers.push(() => real.stop());
    const { status } = await real.put("data-sets", "UVA/wageGap", inPostgres(real.original("dataSets", "UVA/wageGap")));
    expect(status).toBe(200);
  }, 150_000);
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  }, 60_000);

  async function load(table: string): Promise<void> {
    const rows = (await readFile(join(wageGapData, `${table}_UVA.csv`), "utf8")).split(/\r\n|\r|\n/).filter(Boolean);
    const columns = (rows[0] ?? "").split(";").map((name) => `"${name}" ${types[name] ?? "text"}`);
    const copy = join(server.folder, `${table}.csv`);
    await writeFile(copy, `${rows.join("\n")}\n`);
    await server.run(`CREATE TABLE "${table}" (${columns.join(", ")});
      COPY "${table}" FROM '${copy}' (FORMAT csv, HEADER, DELIMITER ';'); GRANT SELECT ON "${table}" TO ${readerName}`);
  }

  function inPostgres({ delimiter: _, ...document }: Readonly<Record<string, unknown>>) {
    const tables = (document.tables as object[]).map((table) => ({ ...table, file }));
    return { ...document, type: "postgres", tables: [...tables, { name: "Slow", file }] };
  }

  const query = (body: object) =>
    ask(real.orchestrator, { providers: ["UVA", "VU"], sql: q1, algorithm: "average", ...body });
  const backends = () => server.run(`SELECT pid FROM pg_stat_activity WHERE usename = '${readerName}'`);

  it.each([
    ["Q1", q1],
    ["Q4", q4],
  ] as const)("gives the golden numbers of %s at home and through the third party", async (name, sql) => {
    expect(numbersByParty(await query({ sql }))).toEqual({ UVA: golden[name].UVA, VU: golden[name].VU });
    const union = await query({ sql, options: { aggregate: true } });
    expect(numbersByParty(union)).toEqual({ SURF: golden[name].SURF });
    await expect.poll(backends).toEqual([]);
  });

  it("ends at the deadline what takes longer, at the server too", async () => {
    const slow = { providers: ["UVA"], sql: 'SELECT i FROM "Slow"', timeoutMs: 4_000 };
    const { body } = await ask(real.orchestrator, slow);
    expect(JSON.stringify(body)).toContain("DEADLINE_EXCEEDED");
    await expect.poll(backends).toEqual([]);
  });

  it("tells the asker that a certificate is a stranger's, and sends no password", async () => {
    await reader.write({ tls: "verify-full", caFile: strangersCa });
    const { body } = await query({ providers: ["UVA"] });
    expect(JSON.stringify(body)).toContain(
      "the PostgreSQL of wageGap_UVA.postgres.json has a certificate that caFile does not vouch for",
    );
    await reader.write({ host: "localhost", tls: "verify-full", caFile: join(certificates, "authority.pem") });
    expect(JSON.stringify((await query({ providers: ["UVA"] })).body)).toContain("has a certificate of another name");
  });
});
