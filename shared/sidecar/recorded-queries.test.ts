/** Any decision: what was decided, by which rule and revision, for whom, is recorded and can be verified. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { openFileRecords } from "#adapters/file/records";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { createMemoryRecords, type MemoryRecords } from "#adapters/memory/records";
import { systemClock } from "#adapters/system/clock";
import { makeRecordKey, recordDigest } from "#adapters/system/record-crypto";
import { Envelope, ErrorCode, type Outcome, Reply } from "#contracts";
import { agreementKey, historyKey } from "#domain/knowledge-keys";
import { fail, forwardResult, refuse } from "#domain/outcome";
import { DynamosError } from "#errors";
import type { Broker, Message } from "#ports/broker";
import type { Step } from "#runtime/define-step";
import { madeTable } from "#testing/made-table";
import { verified } from "#testing/verified-lines";
import { openWorld, type World, type WorldOptions } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";

type Behaviour = (envelope: Envelope) => Outcome;
type Json = Readonly<Record<string, unknown>>;

const user = "researcher@example.org";
const made = madeTable([{ name: "n", kind: "int64" }], [[1n], [2n], [3n]]);
const table = () => forwardResult({ table: made, chart: undefined, document: undefined });
const madeSha256 = createHash("sha256").update(made.arrowIpc).digest("hex");

function step(name: string, behaviours: Readonly<Record<string, Behaviour>>): Step {
  return {
    name,
    isolation: "shared",
    accepts: name === "sql-query" ? "nothing" : "result",
    facts: (envelope) => (behaviours[`${envelope.party} ${name}`] ?? behaviours[name] ?? table)(envelope),
    decide: (_, outcome: Outcome) => outcome,
  };
}

const dataSet = (party: string) => ({
  key: `/dataSets/${party}/wageGap`,
  value: { name: "wageGap", party, type: "csv", delimiter: ";", tables: [{ name: "Personen", file: "none.csv" }] },
});

const parties = ["exchange", "UVA", "VU", "SURF"];
let world: World;

async function open(behaviours: Readonly<Record<string, Behaviour>> = {}, more: Partial<WorldOptions> = {}) {
  const steps = (...names: string[]) => names.map((name) => step(name, behaviours));
  world = await openWorld({
    documents: [...demoDocuments, dataSet("UVA"), dataSet("VU")],
    steps: {
      exchange: [policyEnforcer, archetypeSelector],
      UVA: steps("sql-query", "sql-anonymize", "sql-algorithm"),
      VU: steps("sql-query", "sql-anonymize", "sql-algorithm"),
      SURF: steps("sql-aggregate", "sql-algorithm"),
    },
    ...more,
  });
}

afterEach(() => world.close());

const both = { providers: ["UVA", "VU"], sql: "SELECT 'a literal'" };
const throughTtp = { ...both, options: { aggregate: true } };

function recordsOf(party: string, kind?: string): Json[] {
  const lines = world.records.get(party)?.lines ?? [];
  const records = lines.map((line) => JSON.parse(line) as Json);
  return kind === undefined ? records : records.filter((record) => record.kind === kind);
}

function memoryOf(party: string): MemoryRecords {
  const records = world.records.get(party);
  if (records === undefined) throw new RangeError(`${party} has no record in memory`);
  return records;
}

describe("what a query did is on record", () => {
  it("decisions with provider, rule, agreement revision and user, for allowed and refused", async () => {
    await open();
    const answer = await world.ask({ ...both, providers: ["UVA", "VU", "RUG"] });
    expect(answer.status).toBe(200);
    const revisionOf = async (party: string) => (await world.knowledge.get(agreementKey(party)))?.revision;
    const decisions = recordsOf("exchange", "decision");
    expect(decisions.map(({ provider, allowed }) => `${provider} ${allowed}`)).toEqual([
      "RUG false",
      "UVA true",
      "VU true",
    ]);
    for (const party of ["UVA", "VU"]) {
      const decision = decisions.find(({ provider }) => provider === party);
      expect(decision).toMatchObject({
        user: { name: user },
        attempt: 1,
        rules: [{ code: "", clause: `relations["${user}"]` }],
        agreements: [{ provider: party, revision: await revisionOf(party) }],
        code: { sidecar: "test", function: expect.stringMatching(/^[0-9a-f]{64}$/) },
      });
    }
    const refused = decisions.find(({ provider }) => provider === "RUG");
    expect(refused?.rules).toEqual([{ code: expect.stringMatching(/^[A-Z_]+$/), clause: expect.any(String) }]);
  });

  it("the decision on each provider also where all are refused, by each one's clause and revision", async () => {
    await open();
    const answer = await world.ask({
      ...both,
      requestType: "genericRequest",
      user: { id: "u", name: "nobody@example.org" },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const decisions = recordsOf("exchange", "decision");
    expect(decisions.map(({ provider, allowed }) => `${provider} ${allowed}`)).toEqual(["UVA false", "VU false"]);
    for (const { provider, rules, agreements, user: who } of decisions) {
      expect(who).toEqual({ id: "u", name: "nobody@example.org" });
      expect(rules).toEqual([{ code: "DENIED", clause: 'relations["nobody@example.org"]' }]);
      const revision = (await world.knowledge.get(agreementKey(String(provider))))?.revision;
      expect(agreements).toEqual([{ provider, revision }]);
    }
    expect(recordsOf("exchange", "refusal")).toHaveLength(1);
  });

  it("the plan with its archetype, why, and each chain", async () => {
    await open();
    await world.ask(throughTtp);
    const [plan] = recordsOf("exchange", "plan");
    expect(plan).toMatchObject({
      choices: [
        { archetype: "dataThroughTtp", computeProvider: "SURF", providers: ["UVA", "VU"], why: expect.any(String) },
      ],
      chains: [{ id: "UVA" }, { id: "VU" }, { at: "SURF", providers: ["UVA", "VU"] }],
    });
  });

  it("each step with rows, hash and function build, at the party that ran it", async () => {
    await open();
    await world.ask(throughTtp);
    expect(recordsOf("UVA", "step").map(({ step: name, hop }) => `${name} ${hop}`)).toEqual([
      "sql-query 0",
      "sql-anonymize 1",
    ]);
    expect(recordsOf("SURF", "step").map(({ step: name }) => name)).toEqual(["sql-aggregate", "sql-algorithm"]);
    for (const record of [...recordsOf("UVA", "step"), ...recordsOf("SURF", "step")]) {
      expect(record).toMatchObject({
        outcome: "forward",
        tries: 1,
        contents: [{ what: "table", rows: 3, bytes: made.arrowIpc.length, sha256: madeSha256 }],
        code: { function: expect.stringMatching(/^[0-9a-f]{64}$/) },
      });
    }
  });

  it("what leaves, to whom: parts to the compute provider, the result to the asker, and nothing else of the data", async () => {
    await open();
    await world.ask(throughTtp);
    const released = (party: string) => recordsOf(party, "release").map(({ what, to }) => `${what} ${to}`);
    expect(released("UVA")).toEqual(["part surf"]);
    expect(released("VU")).toEqual(["part surf"]);
    expect(released("SURF")).toEqual(["result exchange"]);
    expect(released("exchange")).toEqual(["start uva", "start vu"]);
    expect(recordsOf("SURF", "gather")).toMatchObject([
      { parts: [{ contents: [{ rows: 3 }] }, { contents: [{ rows: 3 }] }], agreements: [{}, {}] },
    ]);
  });

  it("a refusal and a failure by their code", async () => {
    await open({
      "UVA sql-query": () => refuse([{ code: ErrorCode.SQL_REFUSED, clause: "", message: "secret message" }]),
      "VU sql-query": () => fail(ErrorCode.UNKNOWN_TABLE, "secret message"),
    });
    await world.ask(both);
    expect(recordsOf("UVA", "refusal")).toMatchObject([{ rules: [{ code: "SQL_REFUSED", clause: "" }] }]);
    expect(recordsOf("VU", "failure")).toMatchObject([{ failure: "UNKNOWN_TABLE", step: "sql-query" }]);
  });

  it("and every party's record can be verified, up to its head", async () => {
    await open();
    await world.ask(both);
    await world.ask(throughTtp);
    for (const party of parties) {
      const records = memoryOf(party);
      const report = verified(records.lines, records.publicKey, [{ ...records.place, ...records.head() }]);
      expect(report).toMatchObject({ records: records.lines.length, problems: [] });
      expect(report.records).toBeGreaterThan(3);
    }
  });
});

it("no value from the data, no literal from the SQL and no message is in any record", async () => {
  let canary = "";
  const document = () => Buffer.from(JSON.stringify({ canary }));
  const leaking = (): Outcome =>
    forwardResult({
      table: { arrowIpc: Buffer.from(canary), rows: 1, transfer: undefined },
      chart: { svg: `<svg>${canary}</svg>` },
      document: { mediaType: canary, body: document() },
    });
  const failing = () => fail(ErrorCode.TYPE_MISMATCH, `can't cast ${canary}`);
  const refusing = () =>
    refuse([
      { code: ErrorCode.SQL_REFUSED, clause: `relations["${canary}"].allowedColumns["${canary}"]`, message: canary },
      { code: ErrorCode.SQL_REFUSED, clause: `literal '${canary}'`, message: canary },
    ]);
  let run = 0;
  const behaviour = () => [leaking, failing, refusing][run % 3]?.() ?? leaking();
  await open({ "sql-query": leaking, "sql-algorithm": behaviour, "sql-aggregate": behaviour });
  const kinds = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[a-z]{12,20}$/), fc.boolean(), async (word, isThroughTtp) => {
      canary = `canary${word}`;
      run += 1;
      const before = new Map(parties.map((party) => [party, memoryOf(party).lines.length]));
      const query = {
        ...both,
        sql: `SELECT '${canary}', "${canary}" FROM Personen WHERE x = '${canary}' -- ${canary}`,
        algorithm: { name: "average", column: canary, groupBy: [canary] },
        purpose: canary,
        options: { aggregate: isThroughTtp, ...(run % 7 === 0 ? { [canary]: true } : {}) },
      };
      // What the asker makes of such a table is another matter.
      await world.ask(query).catch(() => {});
      for (const party of parties) {
        const added = memoryOf(party).lines.slice(before.get(party));
        for (const line of added) {
          expect(line.toLowerCase()).not.toContain(canary);
          expect(line).not.toContain(Buffer.from(canary).toString("base64").slice(0, 12));
          kinds.add(JSON.parse(line).kind);
        }
        if (party === "exchange") expect(added.length).toBeGreaterThan(1);
      }
    }),
    { numRuns: 30 },
  );
  expect([...kinds].sort()).toEqual(["decision", "failure", "gather", "plan", "refusal", "release", "step"]);
});

it("any line of a real record that is altered, removed, inserted or moved is found", async () => {
  await open();
  await world.ask(both);
  await world.ask({ ...both, user: { id: "", name: "nobody@example.org" } });
  const { lines, publicKey, place, head } = memoryOf("exchange");
  const heads = [{ ...place, ...head() }];
  const index = fc.nat({ max: lines.length - 1 });
  const kind = fc.constantFrom("altered" as const, "removed" as const, "inserted" as const, "reordered" as const);
  const named = new Map<string, number>();
  fc.assert(
    fc.property(kind, index, index, fc.nat(), (what, from, to, place) => {
      const line = lines[from] ?? "";
      const at = place % line.length;
      const other = line[at] === "x" ? "y" : "x";
      const edited = {
        altered: lines.with(from, line.slice(0, at) + other + line.slice(at + 1)),
        removed: lines.toSpliced(from, 1),
        inserted: lines.toSpliced(to, 0, line),
        reordered: lines.toSpliced(from, 1).toSpliced(to, 0, line),
      }[what];
      fc.pre(edited.join("\n") !== lines.join("\n"));
      const [problem, ...rest] = verified(edited, publicKey, heads).problems;
      expect(rest).toEqual([]);
      const kinds =
        what === "altered" ? ["altered", "foreign"] : what === "removed" ? ["removed", "truncated"] : [what];
      expect(kinds).toContain(problem?.kind);
      named.set(what, (named.get(what) ?? 0) + 1);
    }),
    { numRuns: 300 },
  );
  expect(named.size).toBe(4);
});

describe("what can't be recorded does not happen", () => {
  /** What each party published. */
  function watched(): { sent: Map<string, Message[]>; connect: (party: string) => Promise<Broker> } {
    const hub = createMemoryExchange();
    const sent = new Map<string, Message[]>();
    const connect = async (party: string) => {
      const broker = hub.connect({ party });
      const publish = async (message: Message) => {
        sent.set(party, [...(sent.get(party) ?? []), message]);
        await broker.publish(message);
      };
      return { ...broker, declare: broker.declare.bind(broker), publish } as Broker;
    };
    return { sent, connect };
  }

  const contentsSent = (messages: readonly Message[] = []) =>
    messages.map(({ type, body }) =>
      type === "reply"
        ? Reply.decode(body).content?.$case
        : type === "envelope" && Envelope.decode(body).inputs[0]?.payload !== undefined
          ? "data"
          : type,
    );

  it.each(["UVA", "exchange"])(
    "at %s: the query fails with RECORD_UNAVAILABLE and 503, and nothing else leaves",
    async (party) => {
      const { sent, connect } = watched();
      await open({}, { connect });
      memoryOf(party).isBroken = true;
      const before = memoryOf(party).lines.length;
      sent.clear();
      const answer = await world.ask({ ...both, providers: ["UVA"] }, { timeoutMs: 20_000 });
      expect(answer.status).toBe(503);
      expect(answer.body).toMatchObject({ code: "RECORD_UNAVAILABLE" });
      expect(memoryOf(party).lines).toHaveLength(before);
      const leaves = contentsSent(sent.get(party)).filter((one) => one !== "control");
      // The exchange's own request to its first step goes before any decision.
      expect(leaves.filter((one) => one !== "envelope")).toEqual(["failure"]);
      expect(recordsOf("VU", "step")).toEqual([]);
    },
  );

  it("what leaves is on record before it leaves", async () => {
    const { connect } = watched();
    const missing: string[] = [];
    const checking = async (party: string) => {
      const broker = await connect(party);
      const publish = async (message: Message) => {
        const content = message.type === "reply" ? Reply.decode(message.body).content?.$case : undefined;
        const isLeaving = content === "result" || message.routingKey === "surf.gather";
        if (isLeaving && recordsOf(party, "release").length === 0) missing.push(`${party} ${message.id}`);
        await broker.publish(message);
      };
      return { ...broker, publish };
    };
    await open({}, { connect: checking });
    expect((await world.ask(throughTtp)).status).toBe(200);
    expect(missing).toEqual([]);
    expect(recordsOf("SURF", "release")).toHaveLength(1);
  });

  it("at the compute provider: no union is handed on, and the asker is told", async () => {
    await open();
    memoryOf("SURF").isBroken = true;
    const answer = await world.ask(throughTtp);
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ code: "RECORD_UNAVAILABLE" });
    expect(recordsOf("SURF", "step")).toEqual([]);
  });

  it("a query succeeds again when the record can be written again, in the middle of its tries", async () => {
    await open();
    memoryOf("UVA").isBroken = true;
    const asked = world.ask({ ...both, providers: ["UVA"] });
    setTimeout(() => {
      memoryOf("UVA").isBroken = false;
    }, 60);
    expect((await asked).status).toBe(200);
    expect(recordsOf("UVA", "release").map(({ what }) => what)).toEqual(["result"]);
  });

  it("over files whose folder is gone", async () => {
    const root = await mkdtemp(join(tmpdir(), "dynamos-recorded-"));
    const key = makeRecordKey();
    const opened = await openFileRecords({
      folder: join(root, "UVA"),
      party: "UVA",
      instance: "one",
      key,
      clock: systemClock,
      log: createMemoryLog(),
    });
    try {
      const records = (party: string) => (party === "UVA" ? opened : createMemoryRecords({ party, instance: party }));
      await open({}, { records });
      expect((await world.ask({ ...both, providers: ["UVA"] })).status).toBe(200);
      await rm(join(root, "UVA"), { recursive: true });
      const answer = await world.ask({ ...both, providers: ["UVA"] });
      expect(answer).toMatchObject({ status: 503, body: { code: "RECORD_UNAVAILABLE" } });
    } finally {
      await opened.close();
      await rm(root, { recursive: true, force: true });
    }
  });

  it("a sidecar that can't record does not start", async () => {
    const broken = (party: string) => {
      const records = createMemoryRecords({ party, instance: party });
      records.isBroken = party === "VU";
      return records;
    };
    await open();
    await expect(
      openWorld({ documents: demoDocuments, steps: { exchange: [], VU: [] }, records: broken }),
    ).rejects.toBeInstanceOf(DynamosError);
  });
});

describe("what policy reads is on record at every party", () => {
  it("as it was when the sidecar began, and each change with key, revision, author and hashes", async () => {
    await open();
    const key = agreementKey("UVA");
    const before = await world.knowledge.get(key);
    const value = JSON.stringify({ ...JSON.parse(before?.value ?? "{}"), archetypes: [] });
    const version = { key: historyKey(key, "1"), value: JSON.stringify({ author: "steward-1" }) };
    const revision = await world.knowledge.put(key, value, { also: [version] });
    await world.knowledge.put(agreementKey("VU"), value.replace("UVA", "VU"));
    await world.knowledge.delete(key);
    const sha256 = recordDigest;
    for (const party of parties) {
      await expect.poll(() => recordsOf(party, "change").length).toBe(3);
      const [changed, other, deleted] = recordsOf(party, "change");
      expect(changed).toMatchObject({
        key,
        revision,
        author: "steward-1",
        before: sha256(before?.value ?? ""),
        after: sha256(value),
      });
      expect(other).toMatchObject({ key: agreementKey("VU"), author: "", revision: revision + 1 });
      expect(deleted).toMatchObject({ key, after: "", before: sha256(value), revision: revision + 2 });
      const [start] = recordsOf(party, "start");
      expect(start?.documents).toContainEqual({
        key,
        revision: before?.revision,
        sha256: sha256(before?.value ?? ""),
      });
    }
  });

  it("also those that could not be written at first", async () => {
    await open();
    memoryOf("VU").isBroken = true;
    await world.knowledge.delete(agreementKey("UVA"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    memoryOf("VU").isBroken = false;
    await expect.poll(() => recordsOf("VU", "change").length).toBe(1);
  });
});
