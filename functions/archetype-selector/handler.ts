/** Chooses where the query is computed and starts the chains. */
import { type Decision, type Envelope, ErrorCode, type Knowledge, type Outcome, type Query } from "#contracts";
import { firstEnvelopes } from "#domain/first-envelopes";
import { fanOut, refuse } from "#domain/outcome";
import { makePlan } from "#domain/plan";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";
import { rehearsalEnvelope } from "./rehearsal.ts";

interface Facts {
  readonly query: Query;
  readonly knowledge: Knowledge;
  readonly decision: Decision;
}

const step = defineStep<Facts>({
  name: "archetype-selector",
  isolation: "shared",
  accepts: "decision",
  facts: factsOf,
  decide,
  rehearse: async () => {
    decide(rehearsalEnvelope, factsOf(rehearsalEnvelope));
  },
});

export default step;

function factsOf({ query, knowledge, inputs }: Envelope): Facts {
  const content = inputs[0]?.payload?.content;
  if (query === undefined || knowledge === undefined || content?.$case !== "decision") {
    const missing = query === undefined ? "query" : knowledge === undefined ? "knowledge" : "decision";
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `the envelope has no ${missing}`);
  }
  return { query, knowledge, decision: content.value };
}

function decide(envelope: Envelope, { query, knowledge, decision }: Facts): Outcome {
  const plan = makePlan(query, decision, knowledge, envelope.attempt);
  return "reasons" in plan ? refuse(plan.reasons) : fanOut(plan, firstEnvelopes(plan, envelope, decision));
}
