import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { historyPrefix, stepKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { type KnowledgeApp, openKnowledgeApp } from "#testing/knowledge-app";
import type { Caller } from "./caller.ts";
import { knowledgeApi } from "./knowledge-api.ts";

const steward: Caller = { subject: "s-1", user: { id: "", name: "steward" }, roles: ["steward"], party: "VU" };

let app: KnowledgeApp;
beforeEach(() => {
  app = openKnowledgeApp(knowledgeApi, steward);
});
afterEach(() => app.close());

const relation = { requestTypes: ["r"], dataSets: ["d"], allowedArchetypes: ["a"], allowedComputeProviders: [] };
const agreement = { name: "VU", relations: { "a@b.org": relation } };
const path = "/agreements/VU";

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
type Json = any;

const put = (content: unknown, headers: Record<string, string> = {}, at = path) =>
  app.send("PUT", at, content, headers);
const create = (content: unknown = agreement, at = path) => put(content, { "if-none-match": "*" }, at);
const etagOf = (response: Response) => response.headers.get("etag") ?? "";
const replace = async (content: unknown) => put(content, { "if-match": etagOf(await app.send("GET", path)) });
const history = async (query = ""): Promise<Json> => (await app.send("GET", `${path}/history${query}`)).json();

async function problem(response: Promise<Response>): Promise<Json> {
  const body: Json = await (await response).json();
  return { status: body.status, code: body.code, detail: body.detail, errors: body.errors };
}

describe("a change of a document", () => {
  it("says which revision it replaces, or is told what to send", async () => {
    expect(await problem(put(agreement))).toMatchObject({
      status: 428,
      code: "PRECONDITION_REQUIRED",
      detail:
        "a change names the revision that it replaces; there is no agreement VU: to create it send If-None-Match: *",
    });
    const etag = etagOf(await create());
    expect(await problem(put(agreement))).toMatchObject({
      status: 428,
      detail: `a change names the revision that it replaces; agreement VU is at revision ${etag.slice(1, -1)}: to replace it send If-Match: ${etag}`,
    });
    expect(await problem(app.send("DELETE", path))).toMatchObject({
      status: 428,
      detail: expect.stringContaining(`to delete it send If-Match: ${etag}`),
    });
  });

  it("may not name whatever is there, as it could then be sent again", async () => {
    await create();
    expect(await problem(put(agreement, { "if-match": "*" }))).toMatchObject({ status: 428 });
    expect(await problem(app.send("DELETE", path, undefined, { "if-match": "*" }))).toMatchObject({ status: 428 });
  });

  it("is refused over another revision than the one it names, with the one that is there", async () => {
    const first = etagOf(await create());
    const second = etagOf(await replace({ ...agreement, archetypes: ["a"] }));
    expect(second).not.toBe(first);
    const late = await problem(put(agreement, { "if-match": first }));
    expect(late).toMatchObject({ status: 412, code: "REVISION_CONFLICT", detail: expect.stringContaining(second) });
    const gone = await problem(app.send("DELETE", path, undefined, { "if-match": first }));
    expect(gone).toMatchObject({ status: 412, detail: expect.stringContaining(second) });
    expect(await (await app.send("GET", path)).json()).toEqual({ ...agreement, archetypes: ["a"] });
  });

  it("that is sent twice at once is done once", async () => {
    const etag = etagOf(await create());
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, i) => put({ ...agreement, archetypes: [`a${i}`] }, { "if-match": etag })),
    );
    expect(sent.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
  });

  it("that is not valid keeps the old one, and names every path that is wrong", async () => {
    const etag = etagOf(await create());
    const invalid = { name: "VU", relations: { "a@b.org": { ...relation, minimumGroupSize: 0, validFrom: "soon" } } };
    const refused = await problem(put(invalid, { "if-match": etag }));
    expect(refused).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
    expect(refused.errors.map((one: Json) => one.path)).toEqual([
      "/relations/a@b.org/minimumGroupSize",
      "/relations/a@b.org/validFrom",
    ]);
    const noSuchDay = { name: "VU", relations: { "a@b.org": { ...relation, validFrom: "2025-02-30T00:00:00Z" } } };
    expect(await problem(put(noSuchDay, { "if-match": etag }))).toMatchObject({
      errors: [{ path: "/relations/a@b.org/validFrom", message: "must be a date that exists" }],
    });
    const kept = await app.send("GET", path);
    expect(etagOf(kept)).toBe(etag);
    expect(await kept.json()).toEqual(agreement);
    expect((await history()).changes).toHaveLength(1);
  });

  it("that demands a step that there is not is refused by path, and the old one kept", async () => {
    const demanding = (...names: string[]) => ({
      ...agreement,
      demandedSteps: { sqlDataRequest: names, "a type": names },
    });
    // Which steps there will be, nobody knows before there is one.
    expect((await create(demanding("sql-anonymise"), "/agreements/VU")).status).toBe(201);
    const steps = ["sql-query", "sql-anonymize"];
    for (const name of steps) await app.knowledge.put(stepKey(name), JSON.stringify({ name, label: "dataProvider" }));
    expect((await replace(demanding(...steps))).status).toBe(200);
    const etag = etagOf(await app.send("GET", path));
    const refused = await problem(put(demanding("sql-query", "sql-anonymise", "else"), { "if-match": etag }));
    const [misspelt, other] = [
      "there is no step sql-anonymise in the catalogue: did you mean sql-anonymize?",
      "there is no step else in the catalogue: there are sql-anonymize, sql-query",
    ];
    expect(refused).toEqual({
      status: 400,
      code: "INVALID_REQUEST",
      detail: `the agreement is not valid: demandedSteps["a type"][1] ${misspelt}`,
      errors: [
        { path: 'demandedSteps["a type"][1]', message: misspelt },
        { path: 'demandedSteps["a type"][2]', message: other },
        { path: "demandedSteps.sqlDataRequest[1]", message: misspelt },
        { path: "demandedSteps.sqlDataRequest[2]", message: other },
      ],
    });
    expect(await (await app.send("GET", path)).json()).toEqual(demanding(...steps));
  });

  it("of an agreement of 10,000 relations is taken, and one beyond the limit is not", async () => {
    const relations = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`user${i}@example.org`, relation]));
    expect(JSON.stringify(relations).length).toBeGreaterThan(limits.requestBodyBytesMax);
    expect((await create({ name: "VU", relations })).status).toBe(201);
    const tooLarge = `{"name":"VU","x":"${"x".repeat(limits.agreementBytesMax)}"}`;
    expect(await problem(create(tooLarge, "/agreements/UVA"))).toMatchObject({ status: 413, code: "BODY_TOO_LARGE" });
  });
});

describe("a deletion", () => {
  it("answers with its revision, which alone creates the document again", async () => {
    const etag = etagOf(await create());
    const deleted = await app.send("DELETE", path, undefined, { "if-match": etag });
    expect(deleted.status).toBe(204);
    expect(await problem(app.send("GET", path))).toMatchObject({
      status: 404,
      detail: `there is no agreement VU: it was deleted at revision ${etagOf(deleted).slice(1, -1)}`,
    });
    // The creation, sent again by whoever has recorded it.
    expect(await problem(create())).toMatchObject({
      status: 412,
      detail: expect.stringContaining(`to create it again send If-Match: ${etagOf(deleted)}`),
    });
    expect(await problem(put(agreement, { "if-match": etag }))).toMatchObject({ status: 412 });
    expect((await put(agreement, { "if-match": etagOf(deleted) })).status).toBe(201);
    expect(await problem(put(agreement, { "if-match": etagOf(deleted) }))).toMatchObject({ status: 412 });
  });

  it("brings nothing back when a creation is sent again after a second deletion", async () => {
    const first = await app.send("DELETE", path, undefined, { "if-match": etagOf(await create()) });
    const again = await put(agreement, { "if-match": etagOf(first) });
    const second = await app.send("DELETE", path, undefined, { "if-match": etagOf(again) });
    expect(second.status).toBe(204);
    expect(await problem(put(agreement, { "if-match": etagOf(first) }))).toMatchObject({ status: 412 });
  });

  it("of what is not there is 404", async () => {
    expect(await problem(app.send("DELETE", path, undefined, { "if-match": '"1"' }))).toMatchObject({ status: 404 });
  });

  it("and a creation at once: one of them is refused, not both done", async () => {
    const gone = await app.send("DELETE", path, undefined, { "if-match": etagOf(await create()) });
    const sent = await Promise.all(Array.from({ length: 10 }, () => put(agreement, { "if-match": etagOf(gone) })));
    expect(sent.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(412)]);
  });
});

describe("the history of a document", () => {
  it("says who changed what when, the newest first, with the differences", async () => {
    const first = etagOf(await create());
    app.caller = { ...steward, subject: "s-2" };
    const second = etagOf(await replace({ ...agreement, archetypes: ["a"] }));
    const gone = etagOf(await app.send("DELETE", path, undefined, { "if-match": second }));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    const number = (etag: string) => Number(etag.slice(1, -1));
    expect(await history()).toEqual({
      changes: [
        {
          revision: number(gone),
          author: "s-2",
          role: "steward",
          time,
          change: "delete",
          previousRevision: number(second),
        },
        {
          revision: number(second),
          author: "s-2",
          role: "steward",
          time,
          change: "put",
          previousRevision: number(first),
          differences: [{ op: "add", path: "/archetypes", value: ["a"] }],
        },
        { revision: number(first), author: "s-1", role: "steward", time, change: "put" },
      ],
    });
    const old = await app.send("GET", `${path}?revision=${number(first)}`);
    expect(etagOf(old)).toBe(first);
    expect(await old.json()).toEqual(agreement);
    expect((await app.send("GET", `${path}?revision=${number(gone)}`)).status).toBe(404);
    expect((await app.send("GET", `${path}?revision=999`)).status).toBe(404);
    expect((await app.send("GET", `${path}?revision=x`)).status).toBe(400);
  });

  it("comes in pages", async () => {
    await create();
    for (let i = 0; i < 4; i += 1) await replace({ ...agreement, archetypes: [`a${i}`] });
    const first = await history("?limit=2");
    expect(first.changes).toHaveLength(2);
    const second = await history(`?limit=2&before=${first.next}`);
    const third = await history(`?limit=2&before=${second.next}`);
    expect(third.next).toBeUndefined();
    const revisions = [first, second, third].flatMap(({ changes }) => changes.map((one: Json) => one.revision));
    expect(revisions).toEqual((await history()).changes.map((one: Json) => one.revision));
    expect(revisions).toHaveLength(5);
    // Each but the creation has its differences, also the last one of a page.
    expect([...first.changes, ...second.changes].every((one: Json) => one.differences.length > 0)).toBe(true);
    expect((await app.send("GET", `${path}/history?limit=101`)).status).toBe(400);
  });

  it("keeps what a seeded document was before its first change", async () => {
    const seeded = await app.knowledge.put(path, JSON.stringify(agreement));
    expect(await history()).toEqual({ changes: [{ revision: seeded, change: "put" }] });
    await replace({ ...agreement, computeProviders: ["SURF"] });
    await replace({ ...agreement, computeProviders: ["X"] });
    expect((await history()).changes).toMatchObject([
      { differences: [{ op: "replace", path: "/computeProviders/0" }] },
      { previousRevision: seeded, differences: [{ op: "add", path: "/computeProviders" }] },
      { revision: seeded, change: "put" },
    ]);
    expect(await (await app.send("GET", `${path}?revision=${seeded}`)).json()).toEqual(agreement);
  });

  it("is written in the same transaction as the change", async () => {
    await create();
    await replace({ ...agreement, archetypes: ["a"] });
    const { entries } = await app.knowledge.list(historyPrefix(path));
    const current = await app.knowledge.get(path);
    // Keys of one millisecond are in no order.
    expect(Math.max(...entries.map(({ revision }) => revision))).toBe(current?.revision);
    expect(entries).toHaveLength(2);
    // Nobody who follows the documents gets it.
    expect((await app.knowledge.list("/")).entries.map(({ key }) => key)).toEqual([path]);
  });

  it("is of one document, though another's name begins like it", async () => {
    await create();
    await create({ name: "VU/x", relations: {} }, "/agreements/VU%2Fx");
    expect((await history()).changes).toHaveLength(1);
    expect((await app.send("GET", "/agreements/none/history")).status).toBe(404);
  });

  it("is bounded: the oldest versions go", async () => {
    let etag = etagOf(await create());
    for (let i = 0; i < limits.historyKeptMax + 100; i += 1) {
      etag = etagOf(await put({ ...agreement, archetypes: [`a${i}`] }, { "if-match": etag }));
    }
    const kept = async () => (await app.knowledge.list(historyPrefix(path))).entries;
    await expect.poll(async () => (await kept()).length).toBe(limits.historyKeptMax);
    expect((await history("?limit=1")).changes[0].revision).toBe(Number(etag.slice(1, -1)));
  });

  it("is bounded in size too, whatever the number", async () => {
    const dataSets = Array.from({ length: 256 }, (_, n) => `${n}`.padEnd(128, "x"));
    const users = Array.from({ length: 64 }, (_, n) => [`u${n}`, { ...relation, dataSets }]);
    const many = (i: number) => ({ name: "VU", archetypes: [`a${i}`], relations: Object.fromEntries(users) });
    let etag = etagOf(await create(many(0)));
    for (let i = 1; i < 24; i += 1) etag = etagOf(await put(many(i), { "if-match": etag }));
    const chars = async () =>
      (await app.knowledge.list(historyPrefix(path))).entries.reduce((sum, { value }) => sum + value.length, 0);
    await expect.poll(chars).toBeLessThan(limits.historyKeptBytesMax);
  });
});

describe("documents of every kind", () => {
  it.each([
    ["archetypes/a", { name: "a", computeProvider: "other", weight: 1 }],
    ["request-types/r", { name: "r", requiredSteps: [], optionalSteps: {} }],
    ["steps/s", { name: "s", label: "dataProvider", allowedOutputs: [] }],
    ["parties/P", { name: "P", roles: ["dataProvider"] }],
    ["data-sets/P/d", { name: "d", party: "P", type: "csv", tables: [{ name: "t", file: "t.csv" }] }],
  ])("%s are created, read, replaced, deleted and have a history", async (at, document) => {
    const created = await create(document, `/${at}`);
    expect(created.status).toBe(201);
    expect(await (await app.send("GET", `/${at}`)).json()).toEqual(document);
    const replaced = await put(document, { "if-match": etagOf(created) }, `/${at}`);
    expect(replaced.status).toBe(200);
    expect((await app.send("DELETE", `/${at}`, undefined, { "if-match": etagOf(replaced) })).status).toBe(204);
    expect(await (await app.send("GET", `/${at}/history`)).json()).toMatchObject({
      changes: [{ change: "delete", role: "operator" }, { change: "put", differences: [] }, { change: "put" }],
    });
    expect((await create({ ...document, name: "another" }, `/${at}`)).status).toBe(400);
  });

  it("of a party must be at that party", async () => {
    const dataSet = { name: "d", party: "P", type: "csv", tables: [{ name: "t", file: "t.csv" }] };
    expect(await problem(create(dataSet, "/data-sets/Q/d"))).toMatchObject({
      status: 400,
      errors: [{ path: "/party", message: "must be Q, as in the address" }],
    });
  });
});
