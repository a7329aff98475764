/**
 * What somebody who may write to a provider's queue could send there: a message of the exchange, as it was,
 * with one thing changed. Whoever it is has no key of the policy step.
 */
import { generateKeyPairSync } from "node:crypto";
import { signApprovals } from "#approval/sign";
import { type Approval, type Chain, type Envelope, type Query, Role, type Terms } from "#contracts";
import { testSigningKey } from "./approval-keys.ts";

export interface Forgery {
  readonly what: string;
  readonly forge: (genuine: Envelope) => Envelope;
  /** Label of the code that refuses it. */
  readonly code: "APPROVAL_INVALID" | "DENIED" | "REVOKED";
  /** Of the message. */
  readonly says: RegExp;
}

const otherKey = { kid: testSigningKey.kid, key: generateKeyPairSync("ed25519").privateKey };

/** By whom the approval is forged, whatever is planned. */
const bypassing: readonly Forgery[] = [
  approval("no approval", () => [], /there is no approval of UVA/),
  approval("an approval that is not signed", (all) => all.map((one) => ({ ...one, jws: "" })), /is not signed/),
  approval("an approval that another key has signed", (all, message) => resigned(all, message), /by somebody else/),
  approval(
    "an approval that a key of another name has signed",
    (all, message) => resigned(all, message, { ...otherKey, kid: "mine" }),
    /with a key that is not known here/,
  ),
  approval(
    "an approval that asks for no signature",
    (all) => all.map((one) => ({ ...one, jws: one.jws.replace(/^[^.]+/, unsignedHeader) })),
    /has another header than alg EdDSA/,
  ),
  approval(
    "the approval of another provider",
    (all) => all.map((one) => ({ ...one, provider: "VU" })),
    /there is no approval of UVA/,
  ),
  approval(
    "a second approval beside the right one",
    (all) => [...all, ...all.map((one) => ({ ...one, provider: "VU" }))],
    /the approval of VU is not what was signed/,
  ),
  approval(
    "an approval that has expired",
    (all, message) =>
      resigned(
        all.map((one) => ({ ...one, expiresAtMs: 1_000 })),
        message,
        testSigningKey,
      ),
    /has expired/,
  ),
  approval(
    "an approval that was made longer",
    (all) => all.map((one) => ({ ...one, expiresAtMs: one.expiresAtMs + 1 })),
    /is not what was signed/,
  ),
];

const unsignedHeader = Buffer.from('{"alg":"none","kid":"test","typ":"approval+jws"}').toString("base64url");

const otherQueries: { readonly [Field in keyof Query]-?: (query: Query) => Query[Field] } = {
  id: () => "another",
  requestType: () => "genericRequest",
  user: () => ({ id: "", name: "steward@example.org" }),
  providers: () => ["UVA", "RUG"],
  dataSets: () => ["wageGap"],
  sql: () => "SELECT * FROM Personen",
  algorithm: () => undefined,
  options: ({ options }) => ({ ...options, split: true }),
  purpose: () => "marketing",
  reuse: () => ({ queryId: "another", answeredAtMs: 1, data: [{ provider: "UVA", revision: "made up" }] }),
  head: () => true,
};

const otherTerms: { readonly [Field in keyof Terms]: Terms[Field] } = {
  archetypes: ["computeToData", "dataThroughTtp", "reproducableScience"],
  computeProviders: ["SURF", "EVIL"],
  dataSets: ["wageGap", "secrets"],
  columns: { tables: [{ table: "Personen", columns: ["Gebdat"] }] },
  demandedSteps: [],
  agreementRevision: 99_999,
  deniedColumns: { tables: [] },
  rowFilters: [{ table: "Personen", predicate: "true" }],
  aggregatesOnly: true,
  minimumGroupSize: 1,
  maximumRows: 9,
  resultRecipients: { names: ["requestor"] },
};

/** What the signature is over. */
const bound: readonly Forgery[] = [
  ...Object.entries(otherQueries).map(([field, value]) =>
    invalid(
      `a query with another ${field}`,
      (genuine) => ({ ...genuine, query: genuine.query && { ...genuine.query, [field]: value(genuine.query) } }),
      /is of another (query|user)|is of the query before it was changed/,
    ),
  ),
  ...Object.entries(otherTerms).map(([field, value]) =>
    approval(
      `terms with other ${field}`,
      (all) => all.map((one) => ({ ...one, terms: one.terms && { ...one.terms, [field]: value } })),
      /is not what was signed/,
    ),
  ),
  invalid("another query id", (genuine) => ({ ...genuine, queryId: "another" }), /is of another query/),
  invalid(
    "another query under an old approval",
    (genuine) => ({ ...genuine, queryId: "another", query: genuine.query && { ...genuine.query, id: "another" } }),
    /is of another query/,
  ),
  invalid("another attempt", (genuine) => ({ ...genuine, attempt: genuine.attempt + 1 }), /is of another attempt/),
  invalid("another asker", (genuine) => ({ ...genuine, replyTo: "reply.exchange.mine" }), /is of another asker/),
  invalid("no query", (genuine) => ({ ...genuine, query: undefined }), /comes without its query/),
];

const steps = ["sql-query", "sql-anonymize", "sql-algorithm"];

/** The plan is not signed: what it may be follows from the terms. */
export const forgedAtHome: readonly Forgery[] = [
  ...bypassing,
  ...bound,
  chain("a chain that passes for one of control steps", { id: "" }, "DENIED", /control steps/),
  chain("a chain of another name, to run twice", { id: "UVA-2" }, "DENIED", /is not of its own data alone/),
  chain("the chain of another party", { party: "VU" }, "DENIED", /is not hop 0 of the chain of VU/),
  chain("a chain of nobody's data", { providers: [] }, "DENIED", /is not for the chain of UVA/),
  chain("a chain of more data", { providers: ["UVA", "VU"] }, "APPROVAL_INVALID", /no approval of VU/),
  chain("an archetype that is not allowed", { archetype: "everything" }, "DENIED", /does not allow everything/),
  chain("an archetype that computes elsewhere", { archetype: "dataThroughTtp" }, "REVOKED", /does not compute where/),
  chain("a role that is none", { role: Role.UNSPECIFIED }, "DENIED", /neither at home nor at its gather/),
  chain(
    "a chain without a step that is demanded",
    { steps: without("sql-anonymize") },
    "REVOKED",
    /the chain of UVA is/,
  ),
  chain(
    "a chain without its algorithm: the rows",
    { steps: without("sql-algorithm") },
    "REVOKED",
    /the chain of UVA is/,
  ),
  chain("a chain of one step", { steps: ["sql-query"] }, "REVOKED", /the chain of UVA is/),
  chain("a chain with one step more", { steps: [...steps, "sql-graph"] }, "REVOKED", /the chain of UVA is/),
  chain(
    "a chain in another order",
    { steps: ["sql-query", "sql-algorithm", "sql-anonymize"] },
    "REVOKED",
    /the chain of UVA is/,
  ),
  plan("a last hop that is the first", (genuine) => ({ ...genuine, hop: 2 }), "DENIED", /is not hop 2 of the chain/),
  plan("data of others", (genuine) => ({ ...genuine, inputs: inputsOf("VU") }), "DENIED", /what is of VU/),
  plan(
    "a gather where the result belongs to the asker",
    (genuine) => gathered(genuine, "SURF"),
    "REVOKED",
    /does not compute where/,
  ),
  plan("a gather elsewhere", (genuine) => gathered(genuine, "EVIL"), "DENIED", /does not allow EVIL/),
];

export const forgedForUnion: readonly Forgery[] = [
  ...bypassing,
  ...bound,
  gather("no gather: the table to the asker", () => undefined, "DENIED", /neither at home nor at its gather/),
  gather("a gather elsewhere", (one) => ({ ...one, party: "EVIL" }), "DENIED", /does not allow EVIL/),
  gather("a gather of another name", (one) => ({ ...one, id: "gather-2" }), "DENIED", /neither at home nor/),
  gather("a gather of others' data", (one) => ({ ...one, providers: ["VU"] }), "DENIED", /neither at home nor/),
  gather("a gather that is none", (one) => ({ ...one, role: Role.ALL }), "DENIED", /neither at home nor/),
  gather("a gather of another archetype", (one) => ({ ...one, archetype: "home" }), "DENIED", /neither at home nor/),
  gather("a gather without the algorithm", (one) => ({ ...one, steps: ["sql-aggregate"] }), "REVOKED", /of SURF is/),
  chain("a chain without a step that is demanded", { steps: ["sql-query"] }, "REVOKED", /the chain of UVA is/),
  chain("a chain that runs what the third party does", { steps }, "REVOKED", /the chain of UVA is/),
];

function invalid(what: string, forge: Forgery["forge"], says: RegExp): Forgery {
  return { what, forge, code: "APPROVAL_INVALID", says };
}

function approval(what: string, change: (all: Approval[], genuine: Envelope) => Approval[], says: RegExp): Forgery {
  return invalid(what, (genuine) => ({ ...genuine, approvals: change(genuine.approvals, genuine) }), says);
}

function resigned(approvals: Approval[], { query, replyTo, attempt }: Envelope, key = otherKey): Approval[] {
  if (query === undefined) throw new RangeError("there is no query to sign for");
  return signApprovals(approvals, { query, replyTo, attempt, nowMs: 0, key });
}

function plan(what: string, forge: Forgery["forge"], code: Forgery["code"], says: RegExp): Forgery {
  return { what, forge, code, says };
}

function chain(what: string, change: Partial<Chain>, code: Forgery["code"], says: RegExp): Forgery {
  return plan(what, (genuine) => ({ ...genuine, chain: genuine.chain && { ...genuine.chain, ...change } }), code, says);
}

function gather(what: string, change: (one: Chain) => Chain | undefined, code: Forgery["code"], says: RegExp): Forgery {
  return plan(what, (genuine) => ({ ...genuine, gather: genuine.gather && change(genuine.gather) }), code, says);
}

function gathered(genuine: Envelope, party: string): Envelope {
  const own = genuine.chain;
  if (own === undefined) throw new RangeError("there is no chain to gather");
  const id = `gather-${party}`;
  const third = { ...own, id, party, role: Role.COMPUTE_PROVIDER, steps: ["sql-aggregate", "sql-algorithm"] };
  return {
    ...genuine,
    chain: { ...own, role: Role.DATA_PROVIDER, gatherAt: id, steps: ["sql-query", "sql-anonymize"] },
    gather: third,
  };
}

function inputsOf(provider: string): Envelope["inputs"] {
  return [{ provider, payload: undefined, failure: undefined }];
}

function without(step: string): string[] {
  return steps.filter((name) => name !== step);
}
