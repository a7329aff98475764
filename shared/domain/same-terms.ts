/**
 * Whether a query that was approved under some terms may go on as it runs under others.
 * It may when it would be told to do the same: what is allowed beside that does not count.
 */
import type { Plan, Terms } from "#contracts";
import { canonicalJson } from "./canonical-json.ts";

/** Where the running chain computes. */
export interface TermsUse {
  readonly archetype: string;
  /** The third party; empty when the provider computes at home. */
  readonly computeProvider: string;
}

/** What must be equal, and the sentence for when it is not: a new term does not compile without one. */
const changed: Readonly<Record<Exclude<keyof Terms, "archetypes" | "computeProviders" | "agreementRevision">, string>> =
  {
    dataSets: "the data sets that may be opened have changed",
    columns: "the allowed columns have changed",
    deniedColumns: "the denied columns have changed",
    rowFilters: "the filter of rows has changed",
    demandedSteps: "the demanded steps have changed",
    aggregatesOnly: "whether single rows may be seen has changed",
    minimumGroupSize: "the minimum group size has changed",
    maximumRows: "the maximum of rows has changed",
    resultRecipients: "the allowed recipients of the result have changed",
  };

/**
 * @param approved as `evaluate` made them, when the query started
 * @param now as `evaluate` makes them
 * @returns what changed, as a sentence; undefined: it goes on
 */
export function stillCovers(approved: Terms, now: Terms, { archetype, computeProvider }: TermsUse): string | undefined {
  if (!now.archetypes.includes(archetype)) {
    return `${archetype} is not allowed any more`;
  }
  if (computeProvider !== "" && !now.computeProviders.includes(computeProvider)) {
    return `${computeProvider} is not allowed to compute any more`;
  }
  for (const [term, sentence] of Object.entries(changed)) {
    const key = term as keyof typeof changed;
    if (canonicalJson({ is: approved[key] }) !== canonicalJson({ is: now[key] })) return sentence;
  }
  return undefined;
}

/** Whether two plans run the same chains at the same parties; why they were chosen may differ. */
export function sameChains(running: Plan, now: Plan): boolean {
  return canonicalJson(running.chains) === canonicalJson(now.chains);
}
