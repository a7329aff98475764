/** The order of a chain, out of what each step may hand on to. */
import type { Step } from "#contracts";
import { compareNames } from "./by-name.ts";

export type StepOrder =
  | { readonly steps: string[]; readonly problems?: undefined }
  | { readonly problems: string[]; readonly steps?: undefined };

/**
 * Kahn's topological order (Communications of the ACM 5(11), 1962), ties by name. Where the steps
 * form one connected path there is only one such order, so a gap in it means that there is no path.
 *
 * @param steps each once
 * @returns the steps in order, or the gaps or the cycle by name
 */
export function orderSteps(steps: readonly Step[]): StepOrder {
  const rest = new Map([...steps].sort((a, b) => compareNames(a.name, b.name)).map((step) => [step.name, step]));
  const ordered: Step[] = [];
  while (rest.size > 0) {
    const next = [...rest.values()].find((step) => !hasSource(step, rest));
    if (next === undefined) {
      return { problems: [`the steps form a cycle: ${cycleIn(rest).join(", ")}`] };
    }
    rest.delete(next.name);
    ordered.push(next);
  }
  const gaps = ordered.flatMap((step, index) => {
    const next = ordered[index + 1];
    return next === undefined || step.allowedOutputs.includes(next.name)
      ? []
      : [`${step.name} may not hand on to ${next.name}`];
  });
  return gaps.length > 0 ? { problems: gaps } : { steps: ordered.map((step) => step.name) };
}

function hasSource(step: Step, rest: ReadonlyMap<string, Step>): boolean {
  return [...rest.values()].some((other) => other.allowedOutputs.includes(step.name));
}

/** Every step left has a source among them, so walking backwards must come round. */
function cycleIn(rest: ReadonlyMap<string, Step>): string[] {
  const walked: string[] = [];
  let at = [...rest.values()][0];
  while (at !== undefined && !walked.includes(at.name)) {
    const name = at.name;
    walked.push(name);
    at = [...rest.values()].find((other) => other.allowedOutputs.includes(name));
  }
  return walked.slice(walked.indexOf(at?.name ?? "")).sort(compareNames);
}
