/** Steps that an agreement demands and the catalogue does not have: a query under it could never run. */
import type { Problem } from "#contracts/documents";
import type { AgreementJson } from "#contracts/json-documents";
import { compareNames, listed, sortedNames } from "#domain/by-name";
import { keys } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { nearestHint } from "#domain/nearest-name";
import { pathMember } from "#domain/path-member";
import type { SidecarApi } from "#sidecar/client";

/**
 * In the order of request types and of their steps, by path. Of an empty catalogue nothing is said: its steps may come later.
 *
 * @param agreement valid by its schema
 */
export async function demandedStepProblems(
  api: Pick<SidecarApi, "list">,
  agreement: AgreementJson,
): Promise<Problem[]> {
  const demanded = Object.entries(agreement.demandedSteps ?? {}).sort(([a], [b]) => compareNames(a, b));
  if (demanded.every(([, names]) => names.length === 0)) return [];
  const steps = sortedNames((await api.list(keys.steps)).entries.map(({ key }) => key.slice(keys.steps.length)));
  if (steps.length === 0) return [];
  const known = new Set(steps);
  return demanded
    .flatMap(([requestType, names]) =>
      names.map((name, index) => ({ name, path: `demandedSteps${pathMember(requestType)}[${index}]` })),
    )
    .filter(({ name }) => !known.has(name))
    .slice(0, limits.demandedStepProblemsMax)
    .map(({ name, path }) => ({ path, message: noStep(name, steps) }));
}

function noStep(name: string, steps: readonly string[]): string {
  return `there is no step ${name} in the catalogue: ${nearestHint(name, steps, `there are ${listed(steps)}`)}`;
}
