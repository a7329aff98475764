import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Envelope, ErrorCode, type Outcome } from "#contracts";
import { fail, forwardResult } from "#domain/outcome";
import { DynamosError } from "#errors";
import type { Step } from "#runtime/define-step";
import { personenOf } from "#testing/personen";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";

/** What the fake steps do for one test: by step name. */
type Behaviour = (envelope: Envelope, call: number) => Outcome | Promise<Outcome>;

let world: World;
let behaviours: Record<string, Behaviour>;
let calls: Record<string, number>;

const document = (value: unknown): Outcome =>
  forwardResult({
    table: undefined,
    chart: undefined,
    document: { mediaType: "application/json", body: Buffer.from(JSON.stringify(value)) },
  });

const inputsOf = (envelope: Envelope) =>
  envelope.inputs.flatMap(({ payload }) =>
    payload?.content?.$case === "result"
      ? [JSON.parse(new TextDecoder().decode(payload.content.value.document?.body))]
      : [],
  );

function fakeStep(name: string): Step {
  return {
    name,
    isolation: "shared",
    accepts: name === "sql-query" ? "nothing" : "result",
    facts: async (envelope) => {
      const at = `${envelope.party} ${name}`;
      calls[at] = (calls[at] ?? 0) + 1;
      const behave = behaviours[at] ?? behaviours[name];
      return behave === undefined
        ? document([envelope.party, name, ...inputsOf(envelope)])
        : behave(envelope, calls[at]);
    },
    decide: (_, outcome: Outcome) => outcome,
  };
}

beforeEach(async () => {
  behaviours = {};
  calls = {};
  const steps = (...names: string[]) => names.map(fakeStep);
  world = await openWorld({
    documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
    steps: {
      exchange: [policyEnforcer, archetypeSelector],
      UVA: steps("sql-query", "sql-anonymize", "sql-algorithm", "sql-graph"),
      VU: steps("sql-query", "sql-anonymize", "sql-algorithm"),
      SURF: steps("sql-aggregate", "sql-algorithm", "sql-graph"),
    },
  });
});

afterEach(() => world.close());

const both = { providers: ["UVA", "VU"], sql: "SELECT 1" };
const throughTtp = { ...both, options: { aggregate: true } };

const contents = (answer: { body: Readonly<Record<string, unknown>> }) =>
  (answer.body.results as { party: string; document: { content: unknown } }[]).map(
    ({ document: { content } }) => content,
  );

describe("a query over the sidecars", () => {
  it("runs the whole chain at each provider in computeToData, with the steps that a steward demands", async () => {
    const answer = await world.ask(both);
    expect(answer.status).toBe(200);
    expect(contents(answer)).toEqual([
      ["UVA", "sql-algorithm", ["UVA", "sql-anonymize", ["UVA", "sql-query"]]],
      ["VU", "sql-algorithm", ["VU", "sql-query"]],
    ]);
  });

  it("gathers one part of each provider at the third party and runs its chain once", async () => {
    const answer = await world.ask(throughTtp);
    expect(contents(answer)).toEqual([
      [
        "SURF",
        "sql-algorithm",
        [
          "SURF",
          "sql-aggregate",
          ["UVA", "sql-anonymize", ["UVA", "sql-query"]],
          ["VU", "sql-anonymize", ["VU", "sql-query"]],
        ],
      ],
    ]);
    expect(calls["SURF sql-aggregate"]).toBe(1);
  });

  it("names the refused provider beside the answer of the others", async () => {
    const answer = await world.ask({ ...both, providers: ["UVA", "RUG"] });
    expect(answer.body).toMatchObject({ complete: true, refused: [{ provider: "RUG", code: "DENIED" }] });
    expect(contents(answer)).toHaveLength(1);
  });

  it("refuses with 403 and reasons when nobody may be asked", async () => {
    const answer = await world.ask({ ...both, user: { id: "", name: "stranger@example.org" } });
    expect(answer).toMatchObject({ status: 403, body: { code: "DENIED" } });
    expect(calls).toEqual({});
  });

  it("answers an unknown provider at once with its own code", async () => {
    const answer = await world.ask({ ...both, providers: ["NOPE"] });
    expect(answer).toMatchObject({ status: 404, body: { code: "UNKNOWN_PROVIDER" } });
  });

  it("tries a crashed step again and answers", async () => {
    behaviours["VU sql-query"] = (envelope, call) =>
      call < 3 ? fail(ErrorCode.WORKER_CRASHED, "the process died") : document([envelope.party, call]);
    const answer = await world.ask(both);
    expect(answer.status).toBe(200);
    expect(contents(answer)[1]).toEqual(["VU", "sql-algorithm", ["VU", 3]]);
  });

  it("gives up on a step that crashes every time, by name, while the other provider's answer stays", async () => {
    behaviours["VU sql-query"] = () => fail(ErrorCode.WORKER_CRASHED, "the process died");
    const answer = await world.ask(both);
    expect(answer).toMatchObject({
      status: 200,
      body: { complete: false, failed: [{ party: "VU", step: "sql-query", code: "WORKER_CRASHED" }] },
    });
    expect(contents(answer)).toHaveLength(1);
    await expect.poll(() => takeDeadLetters(world.brokers.get("VU"), 10)).toHaveLength(1);
  });

  it("does not try again what the asker caused", async () => {
    behaviours["UVA sql-query"] = () => fail(ErrorCode.SQL_INVALID, "syntax error at or near FROM");
    const answer = await world.ask({ ...both, providers: ["UVA"] });
    expect(answer).toMatchObject({ status: 400, body: { code: "SQL_INVALID" } });
    expect(calls["UVA sql-query"]).toBe(1);
  });

  it("ends a gather at once when one provider fails, with that provider's code", async () => {
    behaviours["VU sql-query"] = () => fail(ErrorCode.SQL_INVALID, "syntax error");
    const answer = await world.ask(throughTtp);
    expect(answer).toMatchObject({ status: 400, body: { code: "SQL_INVALID" } });
    expect(answer.body.failed).toEqual(
      expect.arrayContaining([expect.objectContaining({ party: "VU", code: "SQL_INVALID" })]),
    );
    expect(calls["SURF sql-aggregate"]).toBeUndefined();
    await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(0);
  });

  it("ends at the deadline by name when a step hangs, and frees what waited", async () => {
    behaviours["VU sql-query"] = () => new Promise(() => {});
    const answer = await world.ask(throughTtp, { timeoutMs: 600 });
    expect(answer.status).toBe(504);
    expect(answer.body.failed).toEqual(
      expect.arrayContaining([expect.objectContaining({ party: "VU", code: "DEADLINE_EXCEEDED" })]),
    );
    await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(0);
  });

  it("names a provider whose sidecar is gone as offline", async () => {
    await world.stopParty("VU");
    const answer = await world.ask(both);
    expect(answer.body).toMatchObject({ refused: [{ provider: "VU", code: "PROVIDER_OFFLINE" }] });
    expect(contents(answer)).toHaveLength(1);
  });

  it("says 503 when the only provider is offline", async () => {
    await world.stopParty("VU");
    expect(await world.ask({ ...both, providers: ["VU"] })).toMatchObject({
      status: 503,
      body: { code: "PROVIDER_OFFLINE" },
    });
  });

  it("names the third party as offline when it was needed", async () => {
    await world.stopParty("SURF");
    expect(await world.ask(throughTtp)).toMatchObject({ status: 503, body: { code: "COMPUTE_PROVIDER_OFFLINE" } });
  });

  it("says at once that a step is not deployed where the plan needs it", async () => {
    const answer = await world.ask({ ...both, providers: ["VU"], options: { graph: true } });
    expect(answer).toMatchObject({ status: 503, body: { code: "UNROUTABLE" } });
    expect(String(answer.body.detail)).toContain("sql-graph");
  });

  it("stops a query that is cancelled and frees what it held", async () => {
    behaviours["VU sql-query"] = () => new Promise(() => {});
    const controller = new AbortController();
    const asked = world.ask(throughTtp, { signal: controller.signal });
    await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(1);
    controller.abort();
    expect(await asked).toMatchObject({ status: 409, body: { code: "CANCELLED" } });
    await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(0);
    expect(world.sidecars.get("exchange")?.status().openRequests).toBe(0);
  });

  it("keeps twenty parallel queries apart", async () => {
    behaviours["sql-query"] = (envelope) => document(envelope.query?.sql);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => world.ask({ ...(i % 2 === 0 ? both : throughTtp), sql: `SELECT ${i}` })),
    );
    for (const [i, answer] of answers.entries()) {
      const text = JSON.stringify(contents(answer));
      expect(text.match(/SELECT \d+/g)).toEqual([`SELECT ${i}`, `SELECT ${i}`]);
    }
  });

  it("lets no data step start chains of its own", async () => {
    behaviours["UVA sql-query"] = (envelope) => ({
      decision: {
        $case: "fanOut",
        value: {
          plan: { queryId: envelope.queryId, attempt: 1, choices: [], chains: [], verdicts: [], loads: [] },
          envelopes: [],
        },
      },
    });
    expect(await world.ask({ ...both, providers: ["UVA"] })).toMatchObject({ status: 403, body: { code: "DENIED" } });
  });

  it("puts a message that is no envelope to the dead letters and goes on", async () => {
    const broker = world.brokers.get("UVA");
    await broker?.publish({
      id: "garbage",
      routingKey: "uva.sql-query",
      type: "envelope",
      queryId: "garbage",
      body: new Uint8Array([255, 255, 255]),
      traceparent: "",
    });
    await expect.poll(() => takeDeadLetters(broker, 10)).toMatchObject([{ id: "garbage" }]);
    expect((await world.ask(both)).status).toBe(200);
  });

  it("refuses a second query of an id that is running", async () => {
    behaviours["sql-query"] = () => new Promise(() => {});
    const controller = new AbortController();
    const first = world.ask({ ...both, id: "same" }, { signal: controller.signal });
    await expect.poll(() => calls["UVA sql-query"]).toBe(1);
    expect(await world.ask({ ...both, id: "same" })).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
    controller.abort();
    await first;
  });

  it("names an error that a step throws", async () => {
    behaviours["UVA sql-query"] = () => {
      throw new DynamosError(ErrorCode.DATA_UNREADABLE, "Personen_UVA.csv, row 3: 7 fields, the header has 8");
    };
    const answer = await world.ask({ ...both, providers: ["UVA"] });
    expect(answer).toMatchObject({ status: 500, body: { code: "DATA_UNREADABLE" } });
    expect(String(answer.body.detail)).toContain("row 3");
  });
});
