/** Which requests of a recorded set would be answered differently under a changed agreement. */
import type { Agreement, Knowledge, Plan, Reason, Refusal, Terms } from "#contracts";
import { sortedNames } from "../by-name.ts";
import { canonicalJson } from "../canonical-json.ts";
import { makePlan } from "../plan.ts";
import { withoutLoads } from "../plan-loads.ts";
import { decisionOf } from "./explain.ts";
import type { Situation } from "./situation.ts";

/** What becomes of one provider's part in a request. */
export interface Position {
  /** It takes part: policy allows it and a plan has been found. */
  readonly runs: boolean;
  readonly archetype: string;
  readonly computeProvider: string;
  readonly terms: Terms | undefined;
  readonly reasons: readonly Reason[];
}

export type FlipKind = "allowed" | "refused" | "archetype" | "computeProvider" | "terms";

export interface Flip {
  readonly provider: string;
  /** The gravest: what was refused and is allowed, the reverse, who computes where, or under other terms. */
  readonly kind: FlipKind;
  readonly before: Position;
  readonly after: Position;
}

/** @param changed in place of the agreement of the same party. @returns sorted by provider; empty: nothing changes */
export function flipsOf(situation: Situation, changed: Agreement): Flip[] {
  const before = positionsOf(situation);
  const after = positionsOf({ ...situation, knowledge: withAgreement(situation.knowledge, changed) });
  return sortedNames(situation.query.providers).flatMap((provider) => {
    const [was, is] = [before.get(provider), after.get(provider)];
    const kind = was && is && flipOf(was, is);
    return was && is && kind !== undefined ? [{ provider, kind, before: was, after: is }] : [];
  });
}

function withAgreement(knowledge: Knowledge, changed: Agreement): Knowledge {
  const others = knowledge.agreements.filter(({ name }) => name !== changed.name);
  return { ...knowledge, agreements: [...others, changed] };
}

function flipOf(was: Position, is: Position): FlipKind | undefined {
  if (was.runs !== is.runs) return is.runs ? "allowed" : "refused";
  if (was.archetype !== is.archetype) return "archetype";
  if (was.computeProvider !== is.computeProvider) return "computeProvider";
  return is.runs && !isSameTerms(was.terms, is.terms) ? "terms" : undefined;
}

/** What was agreed, not when: a changed agreement has another revision. */
function isSameTerms(was: Terms | undefined, is: Terms | undefined): boolean {
  const agreed = (terms: Terms | undefined) => canonicalJson({ ...terms, agreementRevision: 0 });
  return agreed(was) === agreed(is);
}

function positionsOf(situation: Situation): Map<string, Position> {
  const { query, knowledge } = situation;
  const decision = decisionOf(situation);
  const plan = makePlan(query, decision, knowledge, 1);
  return new Map(
    decision.verdicts.map(({ provider, decision: verdict }) => {
      const reasons = verdict?.$case === "refusal" ? verdict.value.reasons : refusedByPlan(plan, provider);
      const choice = "choices" in plan ? plan.choices.find(({ providers }) => providers.includes(provider)) : undefined;
      return [
        provider,
        {
          runs: choice !== undefined,
          archetype: choice?.archetype ?? "",
          computeProvider: choice?.computeProvider ?? "",
          terms: verdict?.$case === "terms" ? verdict.value : undefined,
          reasons,
        },
      ];
    }),
  );
}

function refusedByPlan(plan: Plan | Refusal, provider: string): readonly Reason[] {
  if ("reasons" in plan) return plan.reasons;
  const verdict = plan.verdicts.find((one) => one.provider === provider)?.decision;
  return verdict?.$case === "refusal" ? verdict.value.reasons : [];
}

/** Recorded requests were asked when their parties were there, and had room. */
export function everybodyOnline(knowledge: Knowledge): Knowledge {
  return withoutLoads({ ...knowledge, parties: knowledge.parties.map((party) => ({ ...party, online: true })) });
}
