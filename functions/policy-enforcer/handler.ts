/** Asks every provider's agreement: who may be asked for what, and why not. */
import { type Envelope, ErrorCode, type Knowledge, type Outcome, type Query } from "#contracts";
import { sortedNames } from "#domain/by-name";
import { limits } from "#domain/limits";
import { forward, refuse } from "#domain/outcome";
import { approvalsOf, evaluate, placedReasons } from "#domain/policy";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { rehearsalEnvelope } from "./rehearsal.ts";

interface Facts {
  readonly query: Query;
  readonly knowledge: Knowledge;
  /** Milliseconds since the epoch: agreements have dates. */
  readonly nowMs: number;
}

const step = defineStep<Facts>({
  name: "policy-enforcer",
  isolation: "shared",
  accepts: "nothing",
  facts: (envelope, context) => ({ ...attachedTo(envelope), nowMs: context.now() }),
  decide,
  rehearse: async (context) => {
    decide(rehearsalEnvelope, { ...attachedTo(rehearsalEnvelope), nowMs: context.now() });
  },
});

export default step;

function attachedTo({ query, knowledge }: Envelope): Omit<Facts, "nowMs"> {
  if (query === undefined || knowledge === undefined) {
    const missing = query === undefined ? "query" : "knowledge";
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `the envelope has no ${missing}`);
  }
  return { query, knowledge };
}

function decide(envelope: Envelope, { query, knowledge, nowMs }: Facts): Outcome {
  const providers = sortedNames(query.providers);
  if (providers.length === 0 || providers.length > limits.providersMax) {
    const message = `a query asks 1 to ${limits.providersMax} providers, not ${providers.length}`;
    return refuse([{ code: ErrorCode.INVALID_REQUEST, clause: "", message }]);
  }
  const verdicts = providers.map((provider) => evaluate(query, provider, knowledge, nowMs));
  // An approval is worth as much as the query that it belongs to, and ends with it.
  const approvals = approvalsOf(query, verdicts, envelope.deadlineMs);
  return approvals.length === 0
    ? refuse(placedReasons(verdicts))
    : forward({ content: { $case: "decision", value: { verdicts, approvals } } });
}
