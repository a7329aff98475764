/** Explanations and flips as clients get them. */
import type { Query, Verdict } from "#contracts";
import { editJson, wordsOf } from "#domain/explain/edit-words";
import type { Explanation, ProviderExplanation } from "#domain/explain/explain";
import type { Flip, Position } from "#domain/explain/policy-diff";
import type { Edit } from "#domain/explain/situation";
import { choiceJson, planJson, verdictJson } from "./plan-json.ts";
import { reasonJson } from "./problem.ts";

/** @param revision of the store that it was computed on */
export function explanationJson({ providers, plan, planRemedies }: Explanation, query: Query, revision: number) {
  const user = query.user?.name ?? "";
  const isPlan = "chains" in plan;
  return {
    revision,
    allowed: isPlan,
    verdicts: providers.map((provider) => ({ ...providerJson(provider, user), ...placeIn(plan, provider) })),
    ...(isPlan
      ? { archetypes: plan.choices.map(choiceJson), plan: planJson(plan) }
      : { reasons: plan.reasons.map(reasonJson), remedies: planRemedies.map((edits) => alternativeJson(edits, user)) }),
  };
}

/** Allowed by policy, and still without a part: nobody is there, or nothing fits. */
function placeIn(plan: Explanation["plan"], { provider, verdict }: ProviderExplanation) {
  if (!("chains" in plan) || verdict.decision?.$case !== "terms") return {};
  const decision = plan.verdicts.find((one) => one.provider === provider)?.decision;
  return decision?.$case === "refusal" ? { notRun: decision.value.reasons.map(reasonJson) } : {};
}

function providerJson({ provider, verdict, agreementRevision, clauses, remedies }: ProviderExplanation, user: string) {
  const named = agreementRevision === undefined ? {} : { agreementRevision };
  return {
    ...verdictJson(verdict),
    provider,
    ...named,
    clauses: clauses.map(({ name, holds, compared, reasons }) => ({
      name,
      holds,
      compared,
      ...(reasons.length === 0 ? {} : { reasons: reasons.map(reasonJson) }),
    })),
    ...(remedies.length === 0
      ? {}
      : {
          remedies: remedies.map(({ clause, alternatives }) => ({
            clause,
            alternatives: alternatives.map((edits) => alternativeJson(edits, user)),
          })),
        }),
  };
}

function alternativeJson(edits: readonly Edit[], user: string) {
  return {
    text: edits.map((edit) => wordsOf(edit, user)).join(", and "),
    changes: edits.map((edit) => editJson(edit, user)),
  };
}

export function flipJson({ provider, kind, before, after }: Flip) {
  return { provider, kind, before: positionJson(provider, before), after: positionJson(provider, after) };
}

/** For who may read the agreement: its filters of rows as they are. */
function positionJson(provider: string, { runs, archetype, computeProvider, terms, reasons }: Position) {
  const decision: Verdict["decision"] = terms && { $case: "terms", value: terms };
  const shown: Readonly<Record<string, unknown>> = verdictJson({ provider, decision });
  const { provider: _, agreementRevision, filteredTables, ...verdict } = shown;
  const filters = terms?.rowFilters ?? [];
  return {
    ...verdict,
    ...(filters.length === 0
      ? {}
      : { rowFilters: Object.fromEntries(filters.map(({ table, predicate }) => [table, predicate])) }),
    runs,
    ...(archetype === "" ? {} : { archetype }),
    ...(computeProvider === "" ? {} : { computeProvider }),
    ...(reasons.length === 0 ? {} : { reasons: reasons.map(reasonJson) }),
  };
}
