/** When an earlier answer is given again, and what prevents it: real steps over files that change, with gRPC in between. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { agreementKey, archetypeKey, dataSetKey } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import { openStaffWorld, type StaffWorld, staffDataSet, staffUser } from "#testing/staff-world";
import type { App } from "./app.ts";

const minute = 60_000;
let staff: StaffWorld;
let app: App;

const writeStaff = (party: string, salary: number) =>
  staff.writeStaff(party, `gender;salary\nM;${salary}\nV;${salary + 100}\nM;2000\n`);

beforeEach(async () => {
  staff = await openStaffWorld();
  await Promise.all([writeStaff("UVA", 1_000), writeStaff("VU", 3_000)]);
  app = appOf({ bytesMax: 1_048_576, keptMs: minute });
});

afterEach(() => staff.close());

function appOf(resultCache: { bytesMax: number; keptMs: number } | undefined, change: Partial<SidecarApi> = {}): App {
  return staff.appOf({ api: { ...staff.api, ...change }, resultCache });
}

interface Asked {
  readonly status: number;
  readonly reused: string | null;
  readonly id: string | null;
  readonly rows: string | null;
  readonly text: string;
}

const question = { providers: ["UVA", "VU"], sql: "SELECT gender, salary FROM Staff", algorithm: "average" };

async function ask(more: object = {}, headers: Record<string, string> = {}): Promise<Asked> {
  const request = new Request("http://exchange/v1/queries", {
    method: "POST",
    headers: { "content-type": "application/json", ...(await staff.tokens.headerOf({ user: staffUser })), ...headers },
    body: JSON.stringify({ ...question, ...more }),
  });
  const response = await app.fetch(request);
  const { status } = response;
  const headerOf = (name: string) => response.headers.get(name);
  const [reused, id, rows] = [headerOf("x-query-reused"), headerOf("x-query-id"), headerOf("x-query-rows")];
  return { status, reused, id, rows, text: await response.text() };
}

const resultsIn = ({ text }: Asked) => JSON.stringify((JSON.parse(text) as { results: unknown }).results);

describe("an answer that is remembered", () => {
  it.each([
    ["computed at home", {}],
    ["computed at a third party", { options: { aggregate: true } }],
    ["with a chart", { options: { graph: true } }],
  ])("is given again, byte for byte: %s", async (_, more) => {
    const [first, second] = [await ask(more), await ask(more)];
    expect([first.status, first.reused]).toEqual([200, null]);
    expect([second.status, second.reused]).toEqual([200, first.id]);
    expect(second.id).not.toBe(first.id);
    expect(resultsIn(second)).toBe(resultsIn(first));
    expect(JSON.parse(second.text)).toMatchObject({ complete: true, reused: { query: first.id }, failed: [] });
    expect(JSON.parse(first.text)).not.toHaveProperty("reused");
    const computed = staff.recordsOf("UVA").filter(({ kind, step }) => kind === "step" && step === "sql-anonymize");
    expect(computed.map(({ queryId }) => queryId)).toEqual([first.id]);
  });

  it("is given again in any format, and whatever the order of the providers", async () => {
    const first = await ask({}, { accept: "text/csv" });
    const json = await ask({ providers: ["VU", "UVA"] });
    const csv = await ask({}, { accept: "text/csv" });
    expect([json.reused, csv.reused]).toEqual([first.id, first.id]);
    expect(csv.text).toBe(first.text);
    expect([first.rows, csv.rows, json.rows]).toEqual([
      String(first.text.trim().split("\r\n").length - 1),
      first.rows,
      null,
    ]);
  });

  it("is on record with the query that it came from, at the exchange and at each provider", async () => {
    const first = await ask();
    const second = await ask();
    const of = { queryId: first.id, answeredAtMs: expect.any(Number) };
    const reuses = staff.recordsOf("exchange").filter(({ kind }) => kind === "reuse");
    expect(reuses).toMatchObject([{ queryId: second.id, of, user: { name: staffUser }, agreements: [{}, {}] }]);
    for (const party of ["UVA", "VU"]) {
      const released = staff
        .recordsOf(party)
        .filter(({ kind, queryId }) => kind === "release" && queryId === second.id);
      expect(released).toMatchObject([{ what: "unchanged", to: "exchange", of, contents: [] }]);
    }
    const decided = staff
      .recordsOf("exchange")
      .filter(({ kind, queryId }) => kind === "decision" && queryId === second.id);
    expect(decided).toHaveLength(2);
  });

  it("is not given where that can't be recorded", async () => {
    const recordReuse = async () => {
      throw new DynamosError(ErrorCode.RECORD_UNAVAILABLE, "the disk is full");
    };
    app = appOf({ bytesMax: 1_048_576, keptMs: minute }, { recordReuse });
    await ask();
    const second = await ask();
    expect([second.status, JSON.parse(second.text).code]).toEqual([503, "RECORD_UNAVAILABLE"]);
  });

  it("counts as a query where queries are counted, and is not given when none is left", async () => {
    await staff.changeRelation("UVA", { queriesPerPeriod: { max: 2, period: "P30D" } });
    const alone = { providers: ["UVA"] };
    const [first, second, third] = [await ask(alone), await ask(alone), await ask(alone)];
    expect([first.status, second.reused]).toEqual([200, first.id]);
    expect([third.status, third.reused, JSON.parse(third.text).code]).toEqual([429, null, "RATE_LIMITED"]);
  });
});

describe("an answer is not given again", () => {
  const sameResult = "the same result";
  const changes: [string, () => Promise<unknown>, string?][] = [
    ["an agreement was written again", () => staff.put(agreementKey("UVA"), (agreement) => agreement), sameResult],
    ["a relation got a filter of rows", () => staff.changeRelation("VU", { rowFilters: { Staff: "salary < 2500" } })],
    [
      "an archetype weighs less than the one that was chosen",
      () => staff.put(archetypeKey("dataThroughTtp"), (archetype) => ({ ...archetype, weight: 1 })),
    ],
    ["a data file has other rows", () => writeStaff("VU", 5_000)],
    [
      "the document of a data set has changed",
      () => staff.put(dataSetKey("VU", "wageGap"), () => staffDataSet("VU", "pay")),
      sameResult,
    ],
  ];

  it.each(changes)("when %s", async (_, change, as) => {
    const first = await ask();
    expect((await ask()).reused).toBe(first.id);
    await change();
    const after = await ask();
    expect([after.status, after.reused]).toEqual([200, null]);
    if (as === undefined) expect(resultsIn(after)).not.toBe(resultsIn(first));
    expect(JSON.parse(after.text)).toMatchObject({ complete: true });
    // And what came then is remembered in its place.
    expect((await ask()).reused).toBe(after.id);
  });

  it("when the user has been removed", async () => {
    await ask();
    for (const party of ["UVA", "VU"]) {
      await staff.put(agreementKey(party), (agreement) => ({ ...agreement, relations: {} }));
    }
    expect(await ask()).toMatchObject({ status: 403, reused: null });
  });

  it("when one of two providers does not allow it any more", async () => {
    await ask();
    await staff.put(agreementKey("VU"), (agreement) => ({ ...agreement, relations: {} }));
    const after = await ask();
    expect([after.status, after.reused]).toEqual([200, null]);
    expect(JSON.parse(after.text).results.map(({ party }: { party: string }) => party)).toEqual(["UVA"]);
  });

  it("to another subject of the same name", async () => {
    await ask();
    const another = await staff.tokens.headerOf({ user: staffUser, id: "somebody else" });
    expect((await ask({}, another)).reused).toBeNull();
  });

  it.each([
    ["other SQL", { sql: "SELECT gender, salary FROM Staff WHERE salary > 0" }],
    ["another algorithm", { algorithm: "sum" }],
    ["other options", { options: { graph: true } }],
    ["another purpose", { purpose: "wages" }],
    ["other providers", { providers: ["UVA"] }],
  ])("for %s", async (_, more) => {
    await ask();
    expect(await ask(more)).toMatchObject({ status: 200, reused: null });
  });

  it("after its time", async () => {
    app = appOf({ bytesMax: 1_048_576, keptMs: 1 });
    await ask();
    expect((await ask()).reused).toBeNull();
  });

  it("when a provider failed", async () => {
    await staff.removeStaff("VU");
    const partial = await ask();
    expect(JSON.parse(partial.text)).toMatchObject({ complete: false });
    expect((await ask()).reused).toBeNull();
  });

  it("when a provider fails while it is asked about it", async () => {
    await ask();
    await staff.removeStaff("VU");
    const after = await ask();
    expect(after.reused).toBeNull();
    expect(JSON.parse(after.text)).toMatchObject({ complete: false, failed: [{ party: "VU" }] });
  });

  it("where nobody has switched that on, and no provider is asked what its data is", async () => {
    app = appOf(undefined);
    await ask();
    expect((await ask()).reused).toBeNull();
    const computed = staff.recordsOf("UVA").filter(({ kind, step }) => kind === "step" && step === "sql-query");
    expect(computed.map(({ outcome }) => outcome)).toEqual(["forward", "forward"]);
  });
});
