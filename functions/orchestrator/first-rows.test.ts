/** Answers that begin before they are whole: real steps over files, with gRPC in between (docs/decisions/0028). */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agreementKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { openStaffWorld, type StaffWorld, staffUser } from "#testing/staff-world";
import type { App, AppOptions } from "./app.ts";
import { listenerOf } from "./listener.ts";

const large = 3_000;
let staff: StaffWorld;
let app: App;
/** Attempts that began, and what the second one waits for. */
let attempts: number[];
let beforeSecond: () => Promise<void>;

beforeEach(async () => {
  staff = await openStaffWorld();
  await Promise.all(["UVA", "VU"].map((party) => staff.writeStaff(party, rowsOf(large))));
  attempts = [];
  beforeSecond = async () => {};
  app = appOf();
});

afterEach(() => staff.close());

function appOf(options: Partial<AppOptions> = {}): App {
  const { api } = staff;
  return staff.appOf({
    ...options,
    api: {
      ...api,
      request: async function* (envelope, signal) {
        attempts.push(envelope.attempt);
        if (envelope.attempt > 1) await beforeSecond();
        yield* api.request(envelope, signal);
      },
    },
  });
}

function rowsOf(count: number, salary = (i: number) => String(1_000 + i)): string {
  return `gender;salary\n${Array.from({ length: count }, (_, i) => `${i % 2 ? "M" : "V"};${salary(i)}\n`).join("")}`;
}

const sql = "SELECT gender, salary FROM Staff";
const atHome = { providers: ["VU"], sql };
const throughThirdParty = { providers: ["UVA", "VU"], sql, options: { aggregate: true } };
const firstRows = { prefer: "first-rows", accept: "text/csv" };

async function post(body: object, headers: Record<string, string>, query = ""): Promise<Response> {
  return app.fetch(
    new Request(`http://exchange/v1/queries${query}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(await staff.tokens.headerOf({ user: staffUser })),
        ...headers,
      },
      body: JSON.stringify(body),
    }),
  );
}

const applied = (response: Response) => response.headers.get("preference-applied");
const linesIn = (text: string) => text.split("\n").length - 1;

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Of a response whose rest has not begun to be made. */
async function headOf(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  const more = async () => {
    const { done, value } = await reader.read();
    text += value === undefined ? "" : Buffer.from(value).toString();
    return !done;
  };
  const rest = async () => {
    while (await more());
    return text;
  };
  await more();
  return { text, rest, leave: () => reader.cancel() };
}

describe("an answer whose first rows are preferred", () => {
  it.each([
    ["at home", atHome, "", "text/csv", large],
    ["at home", atHome, "", "application/x-ndjson", large],
    ["through the third party", throughThirdParty, "", "text/csv", 2 * large],
    ["of several parties", { ...throughThirdParty, options: {} }, "", "application/x-ndjson", 2 * large],
    ["of one of several parties", { ...throughThirdParty, options: {} }, "?party=VU", "text/csv", large],
    ["anonymised", { ...atHome, options: { anonymize: true } }, "", "text/csv", large],
  ])("begins before the rest is made, and is the same byte for byte: %s", async (_, body, query, accept, rows) => {
    const plain = await post(body, { accept }, query);
    const expected = await plain.text();
    attempts = [];
    const { open, opened } = gate();
    beforeSecond = () => opened;
    const response = await post(body, { ...firstRows, accept }, query);
    expect(response.status).toBe(200);
    expect(applied(response)).toBe("first-rows");
    for (const name of ["x-query-rows", "x-query-complete", "content-type", "vary"]) {
      expect(response.headers.get(name)).toBe(plain.headers.get(name));
    }
    expect(response.headers.get("x-query-rows")).toBe(String(rows));
    const head = await headOf(response);
    const headerLines = accept === "text/csv" ? 1 : 0;
    expect(linesIn(head.text)).toBe(limits.headRows + headerLines);
    open();
    expect(await head.rest()).toBe(expected);
    expect(attempts).toEqual([1, 2]);
  });

  it("leaves the function at once", async () => {
    const { open, opened } = gate();
    beforeSecond = () => opened;
    const server = createServer(listenerOf(app.fetch)).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/v1/queries`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(await staff.tokens.headerOf({ user: staffUser })),
          ...firstRows,
        },
        body: JSON.stringify(atHome),
      });
      const head = await headOf(response);
      expect(linesIn(head.text)).toBe(limits.headRows + 1);
      open();
      expect(linesIn(await head.rest())).toBe(large + 1);
    } finally {
      open();
      await new Promise((closed) => server.close(closed).closeAllConnections());
    }
  });

  it("begins with all of the first provider's rows and the next one's head, where the first has few", async () => {
    await staff.writeStaff("UVA", rowsOf(10));
    const expected = await (await post(throughThirdParty, { accept: "text/csv" })).text();
    const response = await post(throughThirdParty, firstRows);
    const head = await headOf(response);
    expect(linesIn(head.text)).toBe(1 + 10 + limits.headRows);
    expect(response.headers.get("x-query-rows")).toBe(String(10 + large));
    expect(await head.rest()).toBe(expected);
  });

  it("counts once where queries are counted", async () => {
    await staff.changeRelation("VU", { queriesPerPeriod: { max: 1, period: "P30D" } });
    expect(linesIn(await (await post(atHome, firstRows)).text())).toBe(large + 1);
    expect((await post(atHome, firstRows)).status).toBe(429);
  });

  it("is planned and recorded as two attempts, of which each step knows what it gave", async () => {
    await (await post(atHome, firstRows)).text();
    const steps = staff.recordsOf("VU").filter(({ kind, step }) => kind === "step" && step === "sql-query");
    expect(steps).toMatchObject([
      { attempt: 1, contents: [{ rows: limits.headRows }] },
      { attempt: 2, contents: [{ rows: large }] },
    ]);
    const plans = staff.recordsOf("exchange").filter(({ kind }) => kind === "plan");
    expect(plans.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it("is remembered, head and whole, where answers are", async () => {
    app = appOf({ resultCache: { bytesMax: 10_485_760, keptMs: 60_000 } });
    const first = await (await post(atHome, firstRows)).text();
    const again = await post(atHome, firstRows);
    expect([applied(again), await again.text()]).toEqual(["first-rows", first]);
    expect(staff.recordsOf("exchange").filter(({ kind }) => kind === "reuse")).toHaveLength(2);
  });
});

describe("the preference is passed over, and the query runs once", () => {
  const arrow = "application/vnd.apache.arrow.stream";
  it.each([
    ["in Arrow", atHome, { ...firstRows, accept: arrow }],
    ["of few rows", { ...atHome, sql: `${sql} LIMIT ${limits.headRows}` }, firstRows],
    ["of an algorithm", { ...atHome, algorithm: { name: "average", groupBy: ["gender"] } }, firstRows],
    ["whose chain draws it", { ...atHome, options: { graph: true } }, firstRows],
    ["with the name in another preference's value", atHome, { ...firstRows, prefer: 'x="a, first-rows", wait=1' }],
  ])("for an answer %s", async (_, body, headers) => {
    const expected = await (await post(body, { accept: headers.accept })).text();
    attempts = [];
    const response = await post(body, headers);
    expect([response.status, applied(response), attempts]).toEqual([200, null, [1]]);
    expect(await response.text()).toBe(expected);
  });

  it("for a document in JSON, which has all rows", async () => {
    const response = await post(atHome, { prefer: "first-rows" });
    expect([response.status, applied(response), attempts]).toEqual([200, null, [1]]);
    expect(await response.json()).toMatchObject({ results: [{ rowCount: large }] });
  });

  it("where a column has no value in the head, whose type only the rest can tell", async () => {
    const late = rowsOf(large, (i) => (i < limits.headRows ? "" : "1"));
    await staff.writeStaff("VU", late);
    const response = await post(atHome, firstRows);
    expect([applied(response), attempts]).toEqual([null, [1]]);
    expect(linesIn(await response.text())).toBe(large + 1);
  });

  it("for an answer that is kept", async () => {
    const response = await post(atHome, { ...firstRows, prefer: "first-rows, respond-async" });
    expect([response.status, applied(response)]).toEqual([202, "respond-async"]);
  });
});

describe("a refusal is still a refusal", () => {
  it("of more rows than the agreement allows, before any is told", async () => {
    await staff.changeRelation("VU", { maximumRows: large - 1 });
    const response = await post(atHome, firstRows);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: "RESULT_TOO_LARGE" });
    expect(attempts).toEqual([1]);
  });

  it("of rows where aggregates alone are allowed", async () => {
    await staff.changeRelation("VU", { aggregatesOnly: true });
    const response = await post(atHome, firstRows);
    expect([response.status, await response.json()]).toMatchObject([403, { code: "SQL_REFUSED" }]);
  });

  it("of small groups, whose head has no more of them than the whole", async () => {
    await staff.writeStaff("VU", `${rowsOf(4_000, (i) => String(i >> 1))}V;99999\n`);
    await staff.changeRelation("VU", { minimumGroupSize: 2 });
    const grouped = { ...atHome, sql: "SELECT salary, count(*) AS n FROM Staff GROUP BY salary ORDER BY salary DESC" };
    const expected = await (await post(grouped, { accept: "text/csv" })).text();
    expect(expected).not.toContain("99999");
    const response = await post(grouped, firstRows);
    expect([applied(response), await response.text()]).toEqual(["first-rows", expected]);
  });
});

describe("an answer that can't go on as it began breaks off", () => {
  async function broken(response: Response): Promise<string> {
    expect(applied(response)).toBe("first-rows");
    const head = await headOf(response);
    await expect(head.rest()).rejects.toThrow();
    const [line] = staff.log.lines.filter(({ message }) => message === "an answer broke off");
    return `${line?.fields.code}: ${line?.fields.reason}`;
  }

  it.each([
    ["other rows at its beginning", rowsOf(large, (i) => String(i)), "other rows than those at its beginning"],
    ["more rows", rowsOf(large + 1), `${large + 1} rows where ${large} were announced`],
    ["fewer rows than its head", rowsOf(5), `5 rows where ${large} were announced`],
  ])("when the data has changed meanwhile: %s", async (_, csv, reason) => {
    beforeSecond = () => staff.writeStaff("VU", csv);
    expect(await broken(await post(atHome, firstRows))).toContain(reason);
  });

  it("when it is not allowed any more, and its query says so", async () => {
    beforeSecond = () => staff.put(agreementKey("VU"), (agreement) => ({ ...agreement, relations: {} }));
    const response = await post(atHome, firstRows);
    expect(await broken(response)).toMatch(/^PART_MISSING: the rest of query .* did not come: /);
    const id = response.headers.get("x-query-id");
    const headers = await staff.tokens.headerOf({ user: staffUser });
    const result = await app.fetch(new Request(`http://exchange/v1/queries/${id}/result`, { headers }));
    expect([result.status, await result.json()]).toMatchObject([403, { queryStatus: "refused" }]);
  });

  it("when one of several providers fails", async () => {
    beforeSecond = () => staff.removeStaff("UVA");
    expect(await broken(await post({ ...throughThirdParty, options: {} }, firstRows))).toContain("Staff_UVA.csv");
  });

  it("with its client, and is cancelled", async () => {
    const { opened, open } = gate();
    beforeSecond = () => opened;
    const response = await post(atHome, firstRows);
    await (await headOf(response)).leave();
    open();
    const headers = await staff.tokens.headerOf({ user: staffUser });
    const path = `http://exchange/v1/queries/${response.headers.get("x-query-id")}`;
    const status = async () =>
      ((await (await app.fetch(new Request(path, { headers }))).json()) as { status: string }).status;
    await expect.poll(status).toBe("cancelled");
  });
});

it("an answer of which one provider failed at first is told when all of it is there", async () => {
  await staff.removeStaff("UVA");
  beforeSecond = () => staff.writeStaff("UVA", rowsOf(large));
  const response = await post({ ...throughThirdParty, options: {} }, firstRows);
  expect([applied(response), response.headers.get("x-query-complete")]).toEqual([null, "true"]);
  expect(linesIn(await response.text())).toBe(2 * large + 1);
  expect(attempts).toEqual([1, 2]);
});
