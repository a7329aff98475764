/** What PostgreSQL holds and does that a file does not: its types and names, roles, locks, and connections that end. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Column, DataSet } from "#contracts";
import { freePort } from "#testing/free-port";
import { hasPostgres, type Postgres, startPostgres } from "#testing/postgres";
import {
  makeReaderFolder,
  makeReaderRole,
  type ReaderFolder,
  readerName,
  readerPassword,
} from "#testing/postgres-reader";
import { openTcpProxy } from "#testing/tcp-proxy";
import { runQuery, type SessionTerms } from "../session.ts";
import { toJsonTable } from "../table-json.ts";

const file = "hr.postgres.json";
const sql = `
  CREATE TABLE types (b bool, i2 int2, i8 int8, n numeric(10,2), free numeric, f4 float4, f8 float8, t text, c char(5),
    d date, ts timestamp, tz timestamptz, ti time, u uuid, j jsonb, by bytea, a int[], iv interval);
  INSERT INTO types VALUES
    (true, -32768, 9223372036854775807, 12345678.90, 1234567890123456789012.5, 0.5, 0.1, E'Zoë\\n"x", \\\\N 🙂', 'ab',
     '0001-01-01', '2020-02-29 23:59:59.999999', '2020-01-01 00:00:00+02', '24:00', '00000000-0000-0000-0000-000000000001',
     '{"k": [1]}', '\\x00ff', '{1,NULL}', '1 day 2 hours'),
    (false, 0, -9223372036854775808, -0.01, NULL, 'Infinity', 'NaN', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\\N', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  CREATE DOMAIN grade AS numeric(3,1) CHECK (VALUE <= 10);
  CREATE TABLE domains (g grade); INSERT INTO domains VALUES (7.5);
  CREATE TABLE "we""ird 表; DROP TABLE types --" ("a ""b'" int, "ü%s $1" text, "SELECT" int);
  INSERT INTO "we""ird 表; DROP TABLE types --" VALUES (1, 'x', 2);
  CREATE TABLE one (only_text text); INSERT INTO one VALUES (''), (NULL), ('\\.'), (E'a\\r\\nb');
  CREATE TABLE "some" (id int, secret text); INSERT INTO "some" VALUES (1, 'CANARY-7391'), (2, 'x');
  CREATE VIEW half AS SELECT id FROM "some" WHERE id = 1;
  CREATE TABLE odd (far date, bc date, nan numeric, big numeric, wide text);
  INSERT INTO odd VALUES ('infinity', '0044-03-15 BC', 'NaN', 1e60, repeat('y', 6000000));
  CREATE TABLE twice ("a" int, "A" int);
  CREATE TABLE written (id int);
  CREATE TABLE owned (id int);
  CREATE TABLE locked (id int);
  CREATE VIEW endless AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 1000000000) i;
  CREATE VIEW slow AS SELECT i, pg_sleep(60)::text AS t FROM generate_series(1, 3) i;
  CREATE VIEW broken AS SELECT secret::int AS id FROM "some";
  CREATE SCHEMA private; CREATE TABLE private.t (id int); GRANT SELECT ON private.t TO ${readerName};
  GRANT SELECT ON types, domains, one, half, odd, twice, written, owned, locked, endless, slow, broken, "we""ird 表; DROP TABLE types --" TO ${readerName};
  GRANT SELECT (id) ON "some" TO ${readerName};
  GRANT UPDATE (id) ON written TO ${readerName};
  ALTER TABLE owned OWNER TO ${readerName};`;

describe.skipIf(!hasPostgres())("a session over PostgreSQL", () => {
  let server: Postgres;
  let folder: ReaderFolder;
  beforeAll(async () => {
    server = await startPostgres();
    await makeReaderRole(server);
    await server.run(sql);
    folder = await makeReaderFolder(server, file);
  }, 90_000);
  afterAll(async () => {
    await folder?.remove();
    await server?.stop();
  });
  afterEach(() => folder?.write({}));

  interface Asked {
    readonly terms?: Partial<SessionTerms>;
    readonly columns?: Partial<Column>[];
    readonly leftMs?: number;
    readonly type?: string;
  }

  async function ask(table: string, query: string, { terms = {}, columns = [], leftMs = 20_000, type }: Asked = {}) {
    const tables = [{ name: table, file, columns }];
    const answer = await runQuery({
      sql: query,
      terms: { dataSets: ["hr"], columns: undefined, ...terms },
      dataSets: [DataSet.fromPartial({ name: "hr", party: "UVA", type: type ?? "postgres", tables })],
      folders: { data: folder.data, cache: `${folder.data}/cache` },
      anonymize: false,
      memoryMb: 128,
      leftMs,
      emit: async () => {},
      notes: {},
    }).catch((error: Error & { label: string }) => {
      expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain("CANARY");
      throw error;
    });
    return toJsonTable(answer.arrowIpc);
  }

  const failure = async (table: string, asked?: Asked) =>
    ask(table, `SELECT * FROM "${table.replaceAll('"', '""')}"`, asked).then(
      (answer) => `answered with ${answer.rows.length} rows`,
      ({ label, message }: { label: string; message: string }) => `${label} ${message}`,
    );
  /** Connections of the reader that the server has. */
  const backends = () => server.run(`SELECT pid FROM pg_stat_activity WHERE usename = '${readerName}'`);

  describe("types", () => {
    it("keeps every value exact", async () => {
      const { columns, rows } = await ask("types", "SELECT * FROM types");
      expect(columns.map(({ type }) => type).join(" ")).toBe(
        "boolean int64 int64 decimal(10,2) decimal(23,1) double double text text date timestamp timestamp text text text text text text",
      );
      expect(rows).toEqual([
        [
          true,
          -32768,
          "9223372036854775807",
          "12345678.90",
          "1234567890123456789012.5",
          0.5,
          0.1,
          'Zoë\n"x", \\N 🙂',
          "ab",
          "0001-01-01",
          "2020-02-29T23:59:59.999999",
          "2019-12-31T22:00:00",
          "24:00:00",
          "00000000-0000-0000-0000-000000000001",
          '{"k": [1]}',
          "\\x00ff",
          "{1,NULL}",
          "P1DT2H",
        ],
        [false, 0, "-9223372036854775808", "-0.01", null, "Infinity", "NaN", "", ...Array(10).fill(null)],
        [...Array(7).fill(null), "\\N", ...Array(10).fill(null)],
      ]);
    });

    it("takes a domain for the type that it is of", async () => {
      expect(await ask("domains", "SELECT g FROM domains")).toMatchObject({
        columns: [{ type: "decimal(3,1)" }],
        rows: [["7.5"]],
      });
    });

    it("tells null, nothing and a lone backslash apart in a table of one column", async () => {
      expect((await ask("one", "SELECT only_text FROM one")).rows).toEqual([[""], [null], ["\\."], ["a\r\nb"]]);
    });

    it.each([
      ["far", "DATA_UNREADABLE the PostgreSQL of hr.postgres.json: the column far has a value that DATE does not hold"],
      ["bc", "DATA_UNREADABLE the PostgreSQL of hr.postgres.json: the column bc has a value that DATE does not hold"],
      ["nan", "DATA_UNREADABLE the PostgreSQL of hr.postgres.json: the column nan has NaN or an infinity"],
      ["big", "DATA_UNREADABLE the PostgreSQL of hr.postgres.json: the column big has numbers of more than 38 digits"],
    ])(
      "names the column %s, whose values no type of tables holds, and takes it as text where it is so described",
      async (name, said) => {
        const terms = { columns: { tables: [{ table: "odd", columns: [name] }] } };
        expect(await failure("odd", { terms })).toContain(said);
        const { rows } = await ask("odd", "SELECT * FROM odd", { terms, columns: [{ name, type: "text" }] });
        expect(rows[0]?.[0]).toMatch(/^(infinity|0044-03-15 BC|NaN|10{60})$/);
      },
    );

    it("takes a value of several megabytes", async () => {
      const terms = { columns: { tables: [{ table: "odd", columns: ["wide"] }] } };
      expect((await ask("odd", "SELECT length(wide) FROM odd", { terms })).rows).toEqual([[6_000_000]]);
    });
  });

  describe("names", () => {
    it("are quoted, whatever is in them", async () => {
      const name = 'we"ird 表; DROP TABLE types --';
      const { columns, rows } = await ask(name, `SELECT * FROM "${name.replaceAll('"', '""')}"`);
      expect(columns.map((column) => column.name)).toEqual(["a \"b'", "ü%s $1", "SELECT"]);
      expect(rows).toEqual([[1, "x", 2]]);
    });

    it("are mapped to another schema and table where the connection file says so", async () => {
      await folder.write({ tables: { People: { schema: "public", name: "half" } } });
      expect((await ask("People", "SELECT id FROM People")).rows).toEqual([[1]]);
    });

    it("that differ in nothing but case are refused", async () => {
      expect(await failure("twice")).toMatch(/has two columns [aA], apart from the case/);
    });
  });

  describe("the role", () => {
    it.each([
      ["written", 'its role may write to "public"."written": REVOKE INSERT, UPDATE'],
      ["owned", 'its role owns "public"."owned"'],
      ["nowhere", 'there is no table or view "public"."nowhere"'],
    ])("is refused with what to do about it: %s", async (table, said) => {
      expect(await failure(table)).toContain(`DATA_UNREADABLE the PostgreSQL of hr.postgres.json: ${said}`);
    });

    it("that is a superuser is refused, with a table that it may read too", async () => {
      await server.run(`ALTER ROLE ${readerName} SUPERUSER BYPASSRLS`);
      const said = await failure("half").finally(() => server.run(`ALTER ROLE ${readerName} NOSUPERUSER NOBYPASSRLS`));
      expect(said).toContain("may do more than read: it is SUPERUSER, BYPASSRLS");
    });

    it("without the use of a schema is told what to grant", async () => {
      await folder.write({ schema: "private" });
      expect(await failure("t")).toContain('GRANT USAGE ON SCHEMA "private" TO "dynamos_reader"');
    });

    it("without a grant for a permitted column is told which, and what to grant", async () => {
      const terms = { columns: { tables: [{ table: "some", columns: ["ID", "SECRET"] }] } };
      expect(await failure("some", { terms })).toBe(
        'DATA_UNREADABLE the PostgreSQL of hr.postgres.json: its role may not read the column secret, which the agreement allows: GRANT SELECT ("secret") ON "public"."some" TO "dynamos_reader"',
      );
    });

    it("sees the columns that it is granted, and no other is told of, where the agreement names none", async () => {
      expect((await ask("some", 'SELECT * FROM "some"')).columns.map(({ name }) => name)).toEqual(["id"]);
      await expect(ask("some", 'SELECT secret FROM "some"')).rejects.toMatchObject({ label: "UNKNOWN_COLUMN" });
    });

    it("lets nothing through by a filter over a column that it is not granted", async () => {
      const rowFilters = [{ table: "some", predicate: "secret = 'x'" }];
      expect(await failure("some", { terms: { rowFilters } })).toMatch(/^DENIED the agreement's row filter of some/);
    });

    it("reads a view, and tells no value where the view fails", async () => {
      expect((await ask("half", "SELECT * FROM half")).rows).toEqual([[1]]);
      expect(await failure("broken")).toBe(
        "DATA_UNREADABLE the PostgreSQL of hr.postgres.json can't be read (SQLSTATE 22P02)",
      );
    });
  });

  describe("the connection", () => {
    it.each([
      [
        "to nobody",
        { host: "127.0.0.1", port: 1 },
        "DATA_UNAVAILABLE the PostgreSQL of hr.postgres.json does not answer (ECONNREFUSED)",
      ],
      [
        "to no database",
        { database: "nowhere" },
        "DATA_UNREADABLE the PostgreSQL of hr.postgres.json has no such database (SQLSTATE 3D000)",
      ],
      [
        "as nobody",
        { user: "nobody" },
        "DATA_UNREADABLE the PostgreSQL of hr.postgres.json does not let its role in (SQLSTATE 28P01)",
      ],
      [
        "without a password",
        { passwordFile: undefined },
        "DATA_UNREADABLE the PostgreSQL of hr.postgres.json asks for another password than the one of passwordFile",
      ],
      [
        "with a key that there is not",
        { password: readerPassword },
        "DATA_UNREADABLE the connection file hr.postgres.json: there is no key password, only",
      ],
      [
        "with no password file",
        { passwordFile: "/nowhere/x" },
        "DATA_UNREADABLE the passwordFile of hr.postgres.json can't be read (ENOENT)",
      ],
      [
        "in clear over a network without a word",
        { host: "192.0.2.1", tls: "prefer" },
        "DATA_UNREADABLE the connection file hr.postgres.json: tls must be verify-full or off",
      ],
      [
        "with TLS where there is none",
        { tls: "verify-full" },
        "DATA_UNREADABLE the PostgreSQL of hr.postgres.json offers no TLS",
      ],
    ])("%s fails by name", async (_, change, said) => {
      await folder.write(change);
      const failed = await failure("half");
      expect(failed).toContain(said);
      expect(failed).not.toContain(readerPassword);
    });

    it("with a wrong password fails by name, and no output has the password", async () => {
      await writeFile(folder.passwordFile, "wrong-CANARY-1");
      const said = await failure("half").finally(() => writeFile(folder.passwordFile, readerPassword));
      expect(said).toBe("DATA_UNREADABLE the PostgreSQL of hr.postgres.json does not let its role in (SQLSTATE 28P01)");
    });

    it("has a password outside of the data folder, where no data set can name it", async () => {
      await writeFile(`${folder.data}/password`, readerPassword);
      await folder.write({ passwordFile: `${folder.data}/password` });
      expect(await failure("half")).toContain("passwordFile must be outside of the data folder");
    });

    it("is described in a file that is never read as data", async () => {
      expect(await failure("half", { type: "csv" })).toBe(
        "DATA_UNREADABLE hr.postgres.json says where a database is, and is no table",
      );
    });

    it("over a Unix socket needs no TLS", async () => {
      await folder.write({ host: server.folder, passwordFile: undefined });
      expect((await ask("half", "SELECT * FROM half")).rows).toEqual([[1]]);
    });

    it("that is cut midway fails by a name that is tried again, and leaves nothing running", async () => {
      const proxy = await openTcpProxy(server.port);
      try {
        await folder.write({ port: proxy.port });
        const asked = failure("endless");
        await expect.poll(backends).not.toEqual([]);
        proxy.cut();
        expect(await asked).toMatch(/^DATA_UNAVAILABLE the PostgreSQL of hr.postgres.json does not answer/);
        await expect.poll(backends).toEqual([]);
      } finally {
        await proxy.close();
      }
    });

    it.each(["endless", "slow"])("ends at the deadline while %s is read, at the server too", async (table) => {
      expect(await failure(table, { leftMs: 1_500 })).toMatch(/^(DEADLINE_EXCEEDED|WORKER_OUT_OF_MEMORY) /);
      await expect.poll(backends).toEqual([]);
    });

    it("ends at the server when the worker that asked is killed", async () => {
      const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
      const code = `import { openConnection } from ${module("open-connection.ts")};
        import { readConnectionFile } from ${module("connection-file.ts")};
        const file = await readConnectionFile(${JSON.stringify(folder.data)}, "${file}");
        const { rows } = await openConnection(file, { leftMs: 120000, signal: new AbortController().signal });
        await rows("SELECT * FROM slow");`;
      const worker = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
        stdio: "ignore",
      });
      const asleep = () =>
        server.run(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${readerName}' AND wait_event = 'PgSleep'`);
      try {
        await expect.poll(asleep, { timeout: 20_000 }).toEqual([["1"]]);
      } finally {
        worker.kill("SIGKILL");
      }
      await expect.poll(backends).toEqual([]);
    });

    it("to a server that says nothing ends at the deadline", async () => {
      const proxy = await openTcpProxy(server.port);
      try {
        proxy.silence();
        await folder.write({ port: proxy.port });
        expect(await failure("half", { leftMs: 500 })).toMatch(/^(DEADLINE_EXCEEDED|DATA_UNAVAILABLE) /);
      } finally {
        await proxy.close();
      }
    });

    it("waits for no lock for long", async () => {
      const holder = await server.connect();
      try {
        await holder.query("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE");
        expect(await failure("locked")).toContain("has a table locked by somebody (SQLSTATE 55P03)");
      } finally {
        await holder.end();
      }
    });

    it("writes nothing, also where a view would", async () => {
      await server.run(`CREATE SEQUENCE s; GRANT UPDATE ON s TO ${readerName};
        CREATE VIEW counting AS SELECT nextval('s') AS id; GRANT SELECT ON counting TO ${readerName}`);
      expect(await failure("counting")).toContain("(SQLSTATE 25006)");
    });
  });

  describe("a database of another encoding", () => {
    it.each([
      ["LATIN1", "Zo\u00eb"],
      ["SQL_ASCII", undefined],
    ])("%s is read as UTF-8, or refused where it is none", async (encoding, expected) => {
      const database = `d_${encoding.toLowerCase()}`;
      await server.run(
        `CREATE DATABASE ${database} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
      );
      const value = encoding === "LATIN1" ? "'Zoë'" : "E'Zo\\xeb'";
      await server.run(
        `CREATE TABLE n (name text); INSERT INTO n VALUES (${value}); GRANT SELECT ON n TO ${readerName}`,
        database,
      );
      await folder.write({ database });
      if (expected !== undefined) expect((await ask("n", "SELECT name FROM n")).rows).toEqual([[expected]]);
      else expect(await failure("n")).toContain("has text that is not UTF-8");
    });
  });

  it("refuses a port of nobody's that a file names in words", async () => {
    await folder.write({ port: String(await freePort()) });
    expect(await failure("half")).toContain("port must be a whole number from 1 to 65535");
  });
});
