/** Analyse, of monitor, analyse, plan, execute (MAPE-K, Kephart and Chess 2003): does a running query still run as it would be planned now? */
import {
  type Chain,
  type Decision,
  ErrorCode,
  type Knowledge,
  type Plan,
  type Query,
  Role,
  type Verdict,
} from "#contracts";
import { makePlan } from "./plan.ts";
import { withLoadsOf } from "./plan-loads.ts";
import { evaluateAgain } from "./policy.ts";
import { sameChains, stillCovers } from "./same-terms.ts";

/**
 * @param plan that the query runs under
 * @param knowledge of now, of every provider asked. Loads of now play no part.
 * @returns why it must be planned again, or undefined: it goes on
 */
export function analyse(query: Query, plan: Plan, knowledge: Knowledge, nowMs: number): string | undefined {
  const verdicts = query.providers.map((provider) => {
    const before = plan.verdicts.find((verdict) => verdict.provider === provider);
    // Who gave it no place gives it none while it runs; who did is not asked for another.
    return before !== undefined && hadNoPlace(before) ? before : evaluateAgain(query, provider, knowledge, nowMs);
  });
  const decision: Decision = { verdicts, approvals: [] };
  const now = makePlan(query, decision, withLoadsOf(plan, knowledge), plan.attempt);
  if ("reasons" in now) return now.reasons[0]?.message ?? "nothing is allowed any more";
  if (!sameChains(plan, now)) return chainsChanged(plan, now);
  return plan.verdicts.map((verdict) => termsChanged(verdict, now)).find((change) => change !== undefined);
}

function hadNoPlace({ decision }: Verdict): boolean {
  return decision?.$case === "refusal" && decision.value.reasons.some(({ code }) => code === ErrorCode.RATE_LIMITED);
}

function chainsChanged(plan: Plan, now: Plan): string {
  const before = archetypesOf(plan);
  const after = archetypesOf(now);
  return before === after ? "the steps have changed" : `${after} instead of ${before}`;
}

function archetypesOf({ choices }: Plan): string {
  return choices
    .map(({ archetype, providers, computeProvider }) =>
      [archetype, `of ${providers.join(", ")}`, ...(computeProvider === "" ? [] : [`at ${computeProvider}`])].join(" "),
    )
    .join("; ");
}

function termsChanged({ provider, decision }: Verdict, now: Plan): string | undefined {
  const verdict = now.verdicts.find((one) => one.provider === provider)?.decision;
  const chain = now.chains.find(({ id }) => id === provider);
  // Who was refused and still is has no chain.
  if (decision?.$case !== "terms" || verdict?.$case !== "terms" || chain === undefined) return undefined;
  const change = stillCovers(decision.value, verdict.value, {
    archetype: chain.archetype,
    computeProvider: gathererOf(chain, now),
  });
  return change && `${provider}: ${change}`;
}

function gathererOf({ gatherAt }: Chain, { chains }: Plan): string {
  return chains.find(({ id, role }) => id === gatherAt && role === Role.COMPUTE_PROVIDER)?.party ?? "";
}
