/** One real call for each function's bundle: what it needs to start, what it is asked, and what a good answer is. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Chain, Envelope, Knowledge, Outcome, Query, Role } from "#contracts";
import { agreementFromJson, archetypeFromJson, requestTypeFromJson, stepFromJson } from "#contracts/documents";
import { envelopeFromJson } from "#contracts/json";
import type { ColumnSpec } from "#data/column-kind";
import { approvalEnvironment, signedApproval } from "./approval-keys.ts";
import { madeTable, tableEnvelope } from "./made-table.ts";
import { openTokens } from "./tokens.ts";

export interface SampleCall {
  readonly environment: Readonly<Record<string, string>>;
  /** @throws Error when the answer is not what it has to be */
  readonly call: (url: string) => Promise<void>;
}

const examples = resolve(import.meta.dirname, "../../docs/examples");
const gender: ColumnSpec = { name: "Geslacht", kind: "text", title: "Gender" };
const scale: ColumnSpec = { name: "Salschal", kind: "int64", title: "Salary scale" };
const born: ColumnSpec = { name: "Gebdat", kind: "date", anonymize: "year" };
const wages = madeTable(
  [gender, scale],
  [
    ["V", 10n],
    ["M", 13n],
    ["V", 11n],
  ],
);

/** Of every step, by its name. */
export function sampleSteps(): Readonly<Record<string, SampleCall>> {
  const average = { name: "average", column: "Salschal", groupBy: ["Geslacht"] };
  return {
    "agreement-check": step(agreementEnvelope(), {}),
    "archetype-selector": step(selectorEnvelope(), {}),
    "policy-enforcer": step(exampleEnvelope("envelope.json"), {
      approval_key_file: approvalEnvironment.approval_key_file,
    }),
    "sql-aggregate": step(tableEnvelope({ UVA: wages, VU: wages }, { step: "sql-aggregate" }), {}),
    "sql-algorithm": step(
      tableEnvelope(
        { UVA: wages },
        { step: "sql-algorithm", query: Query.fromPartial({ id: "q1", algorithm: average }) },
      ),
      {},
    ),
    "sql-anonymize": step(tableEnvelope({ UVA: madeTable([born], [[7_000]]) }, { step: "sql-anonymize" }), {}),
    "sql-graph": step(tableEnvelope({ UVA: wages }, { step: "sql-graph" }), {}),
    "sql-query": step(queryEnvelope(), {
      data_dir: join(examples, "data"),
      approval_keys_file: approvalEnvironment.approval_keys_file,
    }),
  };
}

/** The orchestrator: a caller whom it knows asks for a query that it does not know. */
export async function sampleOrchestrator(): Promise<SampleCall & { remove(): Promise<void> }> {
  const tokens = await openTokens();
  return {
    environment: {
      sidecar_address: "unix:///nowhere/sidecar.sock",
      token_issuer: tokens.issuer.issuer,
      token_audience: tokens.issuer.audience,
      token_jwks_file: tokens.issuer.jwksFile,
    },
    call: async (url) => {
      const response = await fetch(`${url}/v1/queries/unknown`, { headers: await tokens.headerOf() });
      await response.arrayBuffer();
      if (response.status !== 404) throw new Error(`the orchestrator answered ${response.status}, not 404`);
    },
    remove: () => tokens.remove(),
  };
}

/** The template's example. */
export const sampleGreeting: SampleCall = {
  environment: {},
  call: async (url) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: '{"name":"Ann"}' });
    const text = await response.text();
    if (text !== '{"greeting":"hello Ann"}') throw new Error(`the example answered ${response.status}: ${text}`);
  },
};

function step(envelope: Envelope, environment: Record<string, string>): SampleCall {
  const name = envelope.step;
  return { environment, call: (url) => callStepAt(url, name, envelope) };
}

async function callStepAt(url: string, name: string, envelope: Envelope): Promise<void> {
  const asked = { ...envelope, deadlineMs: Math.max(envelope.deadlineMs, Date.now() + 30_000) };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(Envelope.encode(asked).finish()),
  });
  const { decision } = Outcome.decode(new Uint8Array(await response.arrayBuffer()));
  // agreement-check refuses for no reason where it finds none.
  const isGood = ["forward", "fanOut"].includes(decision?.$case ?? "") || hasNoReason(decision);
  if (!isGood) {
    throw new Error(`${name} answered ${response.status}: ${JSON.stringify(decision)}`);
  }
}

function hasNoReason(decision: Outcome["decision"]): boolean {
  return decision?.$case === "refusal" && decision.value.reasons.length === 0;
}

function agreementEnvelope(): Envelope {
  const relation = { requestTypes: [], dataSets: [], allowedArchetypes: [], allowedComputeProviders: [] };
  const filtered = { ...relation, rowFilters: { Personen: "Geslacht = 'V'" } };
  const body = Buffer.from(JSON.stringify({ name: "UVA", relations: { "ann@example.org": filtered } }));
  const document = { mediaType: "application/json", body };
  const content = { $case: "result" as const, value: { table: undefined, chart: undefined, document } };
  const tables = [{ name: "Personen", columns: [{ name: "Geslacht" }] }];
  return {
    ...Envelope.fromPartial({ queryId: "q1", party: "exchange", step: "agreement-check" }),
    inputs: [{ provider: "", payload: { content }, failure: undefined }],
    knowledge: Knowledge.fromPartial({ dataSets: [{ name: "wageGap", party: "UVA", tables }] }),
  };
}

/** One provider allows, and a third party computes. */
function selectorEnvelope(): Envelope {
  const terms = { archetypes: ["third"], computeProviders: ["C"], dataSets: ["d"] };
  const query = { id: "q1", requestType: "made", user: { name: "ann@example.org" }, providers: ["A"], sql: "SELECT 1" };
  const verdicts = [{ provider: "A", decision: { $case: "terms" as const, value: terms } }];
  const approvals = [{ queryId: "q1", provider: "A", terms }];
  return Envelope.fromPartial({
    queryId: "q1",
    party: "exchange",
    step: "archetype-selector",
    attempt: 1,
    query,
    inputs: [{ payload: { content: { $case: "decision", value: { verdicts, approvals } } } }],
    knowledge: {
      parties: [
        { name: "A", online: true },
        { name: "C", online: true, roles: ["computeProvider"] },
      ],
      archetypes: [{ name: "third", computeProvider: "other", weight: 1 }],
      requestTypes: [{ name: "made", requiredSteps: ["read", "compute"] }],
      steps: [
        { name: "read", label: "dataProvider", allowedOutputs: ["compute"] },
        { name: "compute", label: "computeProvider" },
      ],
    },
  });
}

function exampleEnvelope(file: string): Envelope {
  return envelopeFromJson(JSON.parse(readFileSync(join(examples, file), "utf8")));
}

/** The example's, of few rows and signed. */
function queryEnvelope(): Envelope {
  const envelope = exampleEnvelope("query.json");
  const query = { ...Query.fromPartial({}), ...envelope.query, sql: "SELECT n, amount FROM Numbers" };
  const terms = { archetypes: ["computeToData"], dataSets: ["numbers"] };
  const approvals = [signedApproval({ ...envelope, query }, { provider: "UVA", terms })];
  const chain = { party: "UVA", archetype: "computeToData", steps: ["sql-query"], providers: ["UVA"] };
  const knowledge = { ...Knowledge.fromPartial({}), ...envelope.knowledge, ...agreed() };
  return {
    ...envelope,
    query,
    knowledge,
    approvals,
    chain: Chain.fromPartial({ id: "UVA", role: Role.ALL, ...chain }),
  };
}

/** What UVA has agreed to, and what that names. */
function agreed(): Partial<Knowledge> {
  const relation = {
    requestTypes: ["sqlDataRequest"],
    dataSets: ["numbers"],
    allowedArchetypes: ["computeToData"],
    allowedComputeProviders: [],
  };
  const agreement = { name: "UVA", relations: { "ann@example.org": relation }, archetypes: ["computeToData"] };
  const home = { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor", weight: 1 };
  return {
    agreements: [agreementFromJson(agreement, 1)],
    archetypes: [archetypeFromJson(home)],
    requestTypes: [requestTypeFromJson({ name: "sqlDataRequest", requiredSteps: ["sql-query"], optionalSteps: {} })],
    steps: [stepFromJson({ name: "sql-query", label: "dataProvider", allowedOutputs: [] })],
  };
}
