/** What policy says of a request and why, clause by clause, and the plan that would run: without running it. */
import type { Agreement, Decision, Plan, Reason, Refusal, Verdict } from "#contracts";
import { sortedNames } from "../by-name.ts";
import { clauseChecks } from "../clause-checks.ts";
import { makePlan } from "../plan.ts";
import { approvalsOf, evaluate, questionOf } from "../policy.ts";
import { comparisonOf } from "./comparisons.ts";
import { type PlanRemedy, planRemedies } from "./plan-remedies.ts";
import { type Remedy, remediesOf } from "./remedies.ts";
import type { Situation } from "./situation.ts";

export interface ClauseResult {
  /** Of `clauseChecks`; before them `relations`, whether there is any agreement with the asker. */
  readonly name: string;
  readonly holds: boolean;
  /** What was compared with what. */
  readonly compared: string;
  readonly reasons: readonly Reason[];
}

export interface ProviderExplanation {
  readonly provider: string;
  readonly verdict: Verdict;
  /** Undefined: there is no agreement. */
  readonly agreementRevision: number | undefined;
  readonly clauses: readonly ClauseResult[];
  readonly remedies: readonly Remedy[];
}

export interface Explanation {
  /** Sorted by provider. */
  readonly providers: readonly ProviderExplanation[];
  readonly plan: Plan | Refusal;
  /** Where nothing would run though policy allows some: what would make it run. */
  readonly planRemedies: readonly PlanRemedy[];
}

export function explain(situation: Situation): Explanation {
  const { query } = situation;
  const providers = sortedNames(query.providers).map((provider) => explainProvider(situation, provider));
  const decision = decisionOf(situation);
  const plan = makePlan(query, decision, situation.knowledge, 1);
  return { providers, plan, planRemedies: "reasons" in plan ? planRemedies(situation, decision) : [] };
}

/** As the policy step makes it. */
export function decisionOf({ query, knowledge, nowMs }: Situation): Decision {
  const verdicts = sortedNames(query.providers).map((provider) => evaluate(query, provider, knowledge, nowMs));
  return { verdicts, approvals: approvalsOf(query, verdicts, 0) };
}

function explainProvider(situation: Situation, provider: string): ProviderExplanation {
  const { query, knowledge, nowMs } = situation;
  const verdict = evaluate(query, provider, knowledge, nowMs);
  const agreement = knowledge.agreements.find(({ name }) => name === provider);
  return {
    provider,
    verdict,
    agreementRevision: agreement?.revision,
    clauses: clausesOf(situation, provider, agreement),
    remedies: verdict.decision?.$case === "refusal" ? remediesOf(situation, provider) : [],
  };
}

function clausesOf(situation: Situation, provider: string, agreement: Agreement | undefined): ClauseResult[] {
  const { query, knowledge, nowMs } = situation;
  const { question, missing } = questionOf(query, provider, knowledge, nowMs);
  const user = query.user?.name || "a user without a name";
  if (question === undefined) {
    const compared = agreement === undefined ? "there is no agreement" : `asked by ${user}`;
    return [{ name: "relations", holds: false, compared, reasons: [missing] }];
  }
  return [
    { name: "relations", holds: true, compared: `${provider} has an agreement with ${user}`, reasons: [] },
    ...clauseChecks.map(({ name, reasons }) => {
      const against = reasons(question);
      return { name, holds: against.length === 0, compared: comparisonOf(name, question), reasons: against };
    }),
  ];
}
