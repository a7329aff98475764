/** The envelopes that start a plan: one for each provider. */
import { type Chain, type Decision, type Envelope, type Plan, Role } from "#contracts";

/**
 * @param request the envelope that asked for the plan; its deadline, trace and asker are taken over
 * @param decision whose approvals go along: to each provider only its own
 */
export function firstEnvelopes(plan: Plan, request: Envelope, decision: Decision): Envelope[] {
  return plan.chains
    .filter((chain) => chain.role !== Role.COMPUTE_PROVIDER)
    .map((chain) => firstEnvelope(chain, plan, { request, decision }));
}

function firstEnvelope(chain: Chain, plan: Plan, from: { request: Envelope; decision: Decision }): Envelope {
  const { request, decision } = from;
  const gather = chain.gatherAt === "" ? undefined : plan.chains.find(({ id }) => id === chain.gatherAt);
  const index = gather?.providers.indexOf(chain.party) ?? 0;
  return {
    queryId: plan.queryId,
    party: chain.party,
    step: chain.steps[0] ?? "",
    hop: 0,
    attempt: plan.attempt,
    part: gather && { index, last: index === gather.providers.length - 1 },
    deadlineMs: request.deadlineMs,
    traceparent: request.traceparent,
    approvals: decision.approvals.filter(({ provider }) => provider === chain.party),
    chain,
    gather,
    replyTo: request.replyTo,
    query: request.query,
    inputs: [{ provider: chain.party, payload: undefined, failure: undefined }],
    knowledge: undefined,
    trail: request.trail,
    goesOnWith: [],
  };
}
