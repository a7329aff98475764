/** The envelopes that start a plan: one for each provider. */
import {
  type Algorithm,
  type Chain,
  type DataSet,
  type Decision,
  type Envelope,
  type Plan,
  type Query,
  Role,
} from "#contracts";
import { compareNames } from "./by-name.ts";

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
    query: request.query && withMeasure(request.query, dataSetsOf(chain.party, plan, request)),
    inputs: [{ provider: chain.party, payload: undefined, failure: undefined }],
    knowledge: undefined,
    trail: request.trail,
  };
}

/** Those that the query may open at this provider, sorted by name. */
function dataSetsOf(provider: string, plan: Plan, request: Envelope): DataSet[] {
  const verdict = plan.verdicts.find((one) => one.provider === provider)?.decision;
  const opened = verdict?.$case === "terms" ? verdict.value.dataSets : [];
  return (request.knowledge?.dataSets ?? [])
    .filter(({ party, name }) => party === provider && opened.includes(name))
    .sort((a, b) => compareNames(a.name, b.name));
}

/** An algorithm without a column computes over the measure of the first data set that has one. */
function withMeasure(query: Query, dataSets: readonly DataSet[]): Query {
  const { algorithm } = query;
  const measure = dataSets.find((set) => set.measure !== undefined)?.measure;
  if (algorithm === undefined || algorithm.name === "" || algorithm.column !== "" || measure === undefined) {
    return query;
  }
  const groupBy = algorithm.groupBy.length > 0 ? algorithm.groupBy : measure.groupBy;
  const filled: Algorithm = { ...algorithm, column: measure.column, groupBy };
  return { ...query, algorithm: filled };
}
