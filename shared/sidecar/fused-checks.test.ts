/** What a process that runs several steps may not get through, and what ends in the midst of it: as if they were apart. */
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { type Envelope, ErrorCode, Outcome, Plan } from "#contracts";
import { agreementKey, dataSetKey } from "#domain/knowledge-keys";
import { fail, fanOut, forward, forwardResult, refuse } from "#domain/outcome";
import type { Invocation } from "#ports/invoker";
import type { Step } from "#runtime/define-step";
import type { TableFlow } from "#runtime/table-flow";
import type { AskedAnswer } from "#testing/asker";
import { personenOf } from "#testing/personen";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";

type Behaviour = (envelope: Envelope, call: number, flow: TableFlow) => Outcome | Promise<Outcome>;

const document = (text: string): Outcome =>
  forwardResult({
    table: undefined,
    chart: undefined,
    document: { mediaType: "text/plain", body: Buffer.from(text) },
  });
const tableBesides = (name: string, sha256: Buffer): Outcome =>
  forwardResult({
    table: { arrowIpc: Buffer.alloc(0), rows: 7, transfer: { name, chunks: 1, bytes: 1, sha256 } },
    chart: undefined,
    document: undefined,
  });

let world: World | undefined;
let behaviours: Record<string, Behaviour> = {};
let calls: Record<string, number> = {};
/** Steps' queues that got a message. */
let queues: string[] = [];

function acted(name: string): Step {
  return {
    name,
    isolation: "shared",
    accepts: name === "sql-query" ? "nothing" : "result",
    facts: (envelope, _context, flow) => {
      calls[name] = (calls[name] ?? 0) + 1;
      return (behaviours[name] ?? (() => document(`of ${name}`)))(envelope, calls[name], flow);
    },
    decide: (_, outcome: Outcome) => outcome,
  };
}

interface Opened {
  readonly isFused: boolean;
  /** In place of what sql-query's function answers. */
  readonly answer?: (invocation: Invocation) => Promise<Uint8Array>;
  /** Before the sidecar hears of an outcome of a step that is not the last one. */
  readonly beforeHandedOn?: () => Promise<void>;
}

async function open({ isFused, answer, beforeHandedOn = async () => {} }: Opened): Promise<World> {
  behaviours = {};
  calls = {};
  queues = [];
  const hub = createMemoryExchange();
  world = await openWorld({
    documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
    steps: {
      exchange: [policyEnforcer, archetypeSelector],
      UVA: ["sql-query", "sql-anonymize", "sql-algorithm"].map(acted),
    },
    fused: isFused ? ["UVA"] : [],
    connect: async (party) => {
      const broker = hub.connect({ party });
      return {
        ...broker,
        publish: (message) => {
          if (message.type === "envelope") queues.push(message.routingKey);
          return broker.publish(message);
        },
      };
    },
    aroundInvoker: (_, invoker) => ({
      ...invoker,
      invoke: (name, invocation, options) => {
        if (answer !== undefined && name === "uva-sql-query") return answer(invocation);
        const { handedOn } = invocation;
        const later = handedOn && ((outcome: Uint8Array) => beforeHandedOn().then(() => handedOn(outcome)));
        return invoker.invoke(name, { ...invocation, ...(later === undefined ? {} : { handedOn: later }) }, options);
      },
    }),
  });
  return world;
}

afterEach(async () => {
  await world?.close();
  world = undefined;
});

const query = { providers: ["UVA"], sql: "SELECT 1" };

/** Without ids and times. */
function toldOf({ status, body }: AskedAnswer) {
  const { title, code, detail, failed, refused, results } = body;
  return { status, title, code, detail, failed, refused, results };
}

const contentsOf = ({ body }: AskedAnswer) =>
  ((body.results ?? []) as { document?: { content?: unknown } }[]).map((one) => JSON.stringify(one.document));

describe("a process that lies of what its steps decided", () => {
  const bytes = (outcome: Outcome) => Outcome.encode(outcome).finish();
  const last = bytes(document("the rows themselves"));
  const forged =
    (...outcomes: Uint8Array[]) =>
    async ({ handedOn }: Invocation) => {
      for (const outcome of outcomes) await handedOn?.(outcome);
      return last;
    };
  const plan = Plan.fromPartial({ attempt: 1 });

  it.each<[string, Uint8Array[], { label?: string; queued: string[] }]>([
    ["a step that starts chains", [bytes(fanOut(plan, []))], { label: "DENIED", queued: [] }],
    [
      "a step that refuses",
      [bytes(refuse([{ code: ErrorCode.DENIED, clause: "", message: "no" }]))],
      { label: "DENIED", queued: [] },
    ],
    ["a step that fails", [bytes(fail(ErrorCode.SQL_INVALID, "no"))], { label: "SQL_INVALID", queued: [] }],
    [
      "a step that names a table which it did not send",
      [bytes(tableBesides("transfer.vu.uva.1", Buffer.alloc(32)))],
      { label: "INTERNAL", queued: [] },
    ],
    ["what is no outcome", [Buffer.from("no outcome")], { label: "INTERNAL", queued: [] }],
    [
      "a step that hands on a decision: the next one gets it by its message",
      [bytes(forward({ content: { $case: "decision", value: { verdicts: [], approvals: [] } } }))],
      { queued: ["uva.sql-anonymize"] },
    ],
    [
      "a step that withholds a table and does not say what is in it: it runs again, by itself",
      [bytes(tableBesides("", Buffer.alloc(0)))],
      { queued: ["uva.sql-anonymize"] },
    ],
    [
      "more steps than follow: the last one runs by itself",
      [bytes(document("1")), bytes(document("2")), bytes(document("3"))],
      { queued: ["uva.sql-algorithm"] },
    ],
  ])("is not believed: %s", async (_, outcomes, { label, queued }) => {
    const { ask } = await open({ isFused: true, answer: forged(...outcomes) });
    const answer = await ask(query);
    expect(contentsOf(answer).join()).not.toContain("the rows themselves");
    if (label === undefined) expect(answer.status).toBe(200);
    else expect(JSON.stringify(answer.body)).toContain(label);
    expect(queues.filter((queue) => queue.startsWith("uva.") && queue !== "uva.sql-query")).toEqual(queued);
  });
});

describe.each([
  ["in one process", true],
  ["in several", false],
])("a chain %s", (_, isFused) => {
  const revoke = async ({ knowledge, api }: World) => {
    const revision = await knowledge.put(agreementKey("UVA"), JSON.stringify({ name: "UVA", relations: {} }));
    return api.applied(revision, 5_000);
  };
  const revoked = { status: 403, code: "REVOKED" };

  it("ends when the agreement does, in its second step, and the change waits for that", async () => {
    const opened = await open({ isFused });
    let change: Promise<{ waiting: readonly unknown[] }> | undefined;
    behaviours["sql-anonymize"] = () => {
      change ??= revoke(opened);
      return new Promise(() => {});
    };
    const told = toldOf(await opened.ask(query));
    expect(JSON.stringify(told)).toContain(revoked.code);
    expect((await change)?.waiting).toEqual([]);
    expect(calls).toEqual({ "sql-query": 1, "sql-anonymize": 1 });
  });

  it("ends at its deadline in its second step, which it names", async () => {
    const opened = await open({ isFused });
    behaviours["sql-anonymize"] = () => new Promise(() => {});
    const answer = await opened.ask(query, { timeoutMs: 1_500 });
    expect(JSON.stringify(answer.body)).toContain("DEADLINE_EXCEEDED");
    expect(JSON.stringify(answer.body)).toContain("sql-anonymize");
    expect(calls["sql-algorithm"]).toBeUndefined();
  });

  it("ends when it is cancelled in its second step, and nothing of it goes on", async () => {
    const opened = await open({ isFused });
    const controller = new AbortController();
    let over = () => {};
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    behaviours["sql-anonymize"] = async () => {
      controller.abort();
      await ended;
      return document("too late");
    };
    const answer = await opened.ask(query, { signal: controller.signal });
    expect(JSON.stringify(answer.body)).toContain("CANCELLED");
    const lines = () => opened.records.get("UVA")?.lines.join() ?? "";
    await expect.poll(lines, { timeout: 5_000 }).toContain('"failure":"CANCELLED"');
    over();
    await opened.stopParty("UVA");
    expect(calls).toEqual({ "sql-query": 1, "sql-anonymize": 1 });
  });

  it("tries a later step again that died, and answers", async () => {
    const opened = await open({ isFused });
    behaviours["sql-algorithm"] = (_envelope, call) =>
      call === 1 ? fail(ErrorCode.WORKER_CRASHED, "it died") : document("the second time");
    const answer = await opened.ask(query);
    expect(answer.status).toBe(200);
    expect(contentsOf(answer).join()).toContain("the second time");
    expect(calls).toEqual({ "sql-query": 1, "sql-anonymize": 1, "sql-algorithm": 2 });
  });

  it("tells a refusal of its second step", async () => {
    const opened = await open({ isFused });
    behaviours["sql-anonymize"] = () => refuse([{ code: ErrorCode.SQL_REFUSED, clause: "", message: "not this" }]);
    const answer = await opened.ask(query);
    expect(JSON.stringify(answer.body)).toContain("SQL_REFUSED");
    expect(calls["sql-algorithm"]).toBeUndefined();
  });
});

describe("between the steps of one process", () => {
  it("rows that stayed there are lost with it: the chain begins again, and its steps are apart", async () => {
    const opened = await open({ isFused: true });
    behaviours["sql-query"] = async (_envelope, _call, { emit }) => {
      await emit(Buffer.alloc(300_000, 1));
      return tableBesides("", Buffer.alloc(0));
    };
    const read: number[] = [];
    behaviours["sql-anonymize"] = async (_envelope, call, { bytesOf }) => {
      let bytes = 0;
      for await (const part of bytesOf(0)) bytes += part.length;
      read.push(bytes);
      return call === 1 ? fail(ErrorCode.WORKER_OUT_OF_MEMORY, "no room for two") : document("alone");
    };
    expect((await opened.ask(query)).status).toBe(200);
    expect(read).toEqual([300_000, 300_000]);
    expect(calls).toEqual({ "sql-query": 2, "sql-anonymize": 2, "sql-algorithm": 1 });
    expect(queues).toContain("uva.sql-anonymize");
  });

  it("an agreement that has ended ends the chain at the step that has run", async () => {
    let opened: World | undefined;
    const beforeHandedOn = async () => {
      await opened?.knowledge.put(agreementKey("UVA"), JSON.stringify({ name: "UVA", relations: {} }));
    };
    opened = await open({ isFused: true, beforeHandedOn });
    const answer = await opened.ask(query);
    expect(JSON.stringify(answer.body)).toContain("REVOKED");
    expect(calls).toEqual({ "sql-query": 1 });
    const records = (opened.records.get("UVA")?.lines ?? []).map((line) => JSON.parse(line));
    expect(records.filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual(["sql-query"]);
  });

  it("other knowledge of the party's data reaches the next step: by its message", async () => {
    let opened: World | undefined;
    const { value } = personenOf("UVA");
    const beforeHandedOn = async () => {
      await opened?.knowledge.put(dataSetKey("UVA", "wageGap"), JSON.stringify({ ...value, delimiter: "," }));
      await new Promise((resume) => setTimeout(resume, 50));
    };
    opened = await open({ isFused: true, beforeHandedOn });
    expect((await opened.ask(query)).status).toBe(200);
    expect(queues).toContain("uva.sql-anonymize");
  });
});
