/** Asks every provider's agreement: who may be asked for what, and why not; and signs what is allowed. */
import { approvalKeyFile, type SigningKey } from "#approval/approval-keys";
import { signApprovals } from "#approval/sign";
import { createSigningKeyFile } from "#approval/signing-key-file";
import { type Decision, type Envelope, ErrorCode, type Outcome } from "#contracts";
import { sortedNames } from "#domain/by-name";
import { limits } from "#domain/limits";
import { forward, refuse } from "#domain/outcome";
import { approvalsOf, evaluate, placedReasons } from "#domain/policy";
import { DynamosError } from "#errors";
import { defineStep, type StepContext } from "#runtime/define-step";
import { rehearsalEnvelope } from "./rehearsal.ts";

interface Facts {
  /** Each once, sorted. */
  readonly providers: readonly string[];
  /** Empty when there are too few or too many to ask. */
  readonly decision: Decision;
}

const step = defineStep<Facts>({
  name: "policy-enforcer",
  isolation: "shared",
  accepts: "nothing",
  facts: async (envelope, context) => factsOf(envelope, await signingKeyOf(context), context.now()),
  decide,
  rehearse: async (context) => {
    decide(rehearsalEnvelope, factsOf(rehearsalEnvelope, await signingKeyOf(context), context.now()));
  },
});

export default step;

const signingKeyIn = createSigningKeyFile();

function signingKeyOf({ environment }: StepContext): Promise<SigningKey> {
  return signingKeyIn(environment.approval_key_file || approvalKeyFile);
}

function factsOf(envelope: Envelope, key: SigningKey, nowMs: number): Facts {
  const { query, knowledge, deadlineMs, replyTo, attempt } = envelope;
  if (query === undefined || knowledge === undefined) {
    const missing = query === undefined ? "query" : "knowledge";
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `the envelope has no ${missing}`);
  }
  const providers = sortedNames(query.providers);
  const asked = mayAsk(providers) ? providers : [];
  const verdicts = asked.map((provider) => evaluate(query, provider, knowledge, nowMs));
  // An approval is worth as much as the query that it belongs to, and ends with it.
  const approvals = approvalsOf(query, verdicts, deadlineMs);
  const signed = signApprovals(approvals, { query, replyTo, attempt, nowMs, key });
  return { providers, decision: { verdicts, approvals: signed } };
}

function decide(_: Envelope, { providers, decision }: Facts): Outcome {
  if (!mayAsk(providers)) {
    const message = `a query asks 1 to ${limits.providersMax} providers, not ${providers.length}`;
    return refuse([{ code: ErrorCode.INVALID_REQUEST, clause: "", message }]);
  }
  return decision.approvals.length === 0
    ? refuse(placedReasons(decision.verdicts))
    : forward({ content: { $case: "decision", value: decision } });
}

function mayAsk(providers: readonly string[]): boolean {
  return providers.length > 0 && providers.length <= limits.providersMax;
}
