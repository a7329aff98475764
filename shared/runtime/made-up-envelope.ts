/** A made-up envelope, to rehearse with: each message and each field that one may bring to a step is in it. */
import { Envelope, ErrorCode, Payload, Role, type Table, Verdict } from "#contracts";

const name = "rehearsal";
const names = [name];
const number = 1_000_000_000_000;
const bytes = Buffer.alloc(1);
const columnList = { tables: [{ table: name, columns: names }] };
const rowFilters = [{ table: name, predicate: name }];
const user = { id: name, name };
const failure = { code: ErrorCode.INTERNAL, message: name, party: name, step: name };
const refusal = { reasons: [{ code: ErrorCode.DENIED, clause: name, message: name }] };

const terms = {
  archetypes: names,
  computeProviders: names,
  dataSets: names,
  columns: columnList,
  demandedSteps: names,
  agreementRevision: number,
  deniedColumns: columnList,
  rowFilters,
  aggregatesOnly: true,
  minimumGroupSize: 1,
  maximumRows: number,
  resultRecipients: { names },
};

const approval = {
  queryId: name,
  user,
  provider: name,
  terms,
  expiresAtMs: number,
  jws: name,
  querySha256: name,
  issuedAtMs: number,
  replyTo: name,
  attempt: 1,
};

const verdicts = [
  Verdict.fromPartial({ provider: name, decision: { $case: "terms", value: terms } }),
  Verdict.fromPartial({ provider: name, decision: { $case: "refusal", value: refusal } }),
];

const relation = {
  id: name,
  requestTypes: names,
  dataSets: names,
  allowedArchetypes: names,
  allowedComputeProviders: names,
  allowedAlgorithms: { names },
  allowedColumns: columnList,
  validFromMs: number,
  validUntilMs: number,
  deniedColumns: columnList,
  rowFilters,
  aggregatesOnly: true,
  minimumGroupSize: 1,
  purposes: { names },
  queriesPerPeriod: { max: 1, periodMs: number },
  resultRecipients: { names },
  maximumRows: number,
};

const knowledge = {
  agreements: [
    {
      name,
      relations: { [name]: relation },
      computeProviders: names,
      archetypes: names,
      demandedSteps: { [name]: { names } },
      revision: number,
    },
  ],
  parties: [{ name, roles: names, online: true, load: 0.5 }],
  archetypes: [{ name, computeProvider: name, resultRecipient: name, weight: 1 }],
  requestTypes: [{ name, requiredSteps: names, optionalSteps: { [name]: name } }],
  steps: [{ name, label: name, allowedOutputs: names, invalidArchetypes: names }],
  dataSets: [
    {
      name,
      party: name,
      type: name,
      delimiter: name,
      tables: [{ name, file: name, columns: [{ name, type: name, title: name, unit: name, anonymize: name }] }],
      measure: { column: name, groupBy: names },
    },
  ],
  usage: [{ provider: name, queries: number }],
};

const query = {
  id: name,
  requestType: name,
  user,
  providers: names,
  dataSets: names,
  sql: name,
  algorithm: { name, column: name, groupBy: names },
  options: { [name]: true },
  purpose: name,
  reuse: { queryId: name, answeredAtMs: number, data: [{ provider: name, revision: name }] },
  head: true,
};

const chain = {
  id: name,
  party: name,
  role: Role.ALL,
  archetype: name,
  steps: names,
  providers: names,
  gatherAt: name,
};

const plan = {
  queryId: name,
  attempt: 1,
  choices: [
    {
      archetype: name,
      providers: names,
      computeProvider: name,
      rule: name,
      why: name,
      considered: [{ archetype: name, reason: name }],
    },
  ],
  chains: [chain],
  verdicts,
  loads: [{ party: name, load: 0.5 }],
};

const trail = [
  {
    party: name,
    step: name,
    hop: 1,
    chain: name,
    takenAtMs: number,
    invokedMs: 0.5,
    rows: number,
    tries: 1,
    dataRevision: name,
  },
];

/** @param table of the first input */
export function madeUpEnvelope(step: string, table: Table): Envelope {
  const result = { table, chart: { svg: name }, document: { mediaType: name, body: bytes } };
  const payloads = [
    Payload.fromPartial({ content: { $case: "result", value: result } }),
    Payload.fromPartial({ content: { $case: "decision", value: { verdicts, approvals: [approval] } } }),
    Payload.fromPartial({ content: { $case: "plan", value: plan } }),
  ];
  return Envelope.fromPartial({
    queryId: name,
    party: name,
    step,
    hop: 1,
    attempt: 1,
    part: { index: 1, last: true },
    deadlineMs: number,
    traceparent: name,
    approvals: [approval],
    chain,
    gather: chain,
    replyTo: name,
    query,
    inputs: payloads.map((payload) => ({ provider: name, payload, failure })),
    knowledge,
    trail,
    goesOnWith: names,
  });
}
