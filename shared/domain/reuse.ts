/**
 * When the answer of one query is the answer of another: the same user asks the same, the same is planned for it
 * under the same revisions of the same agreements, and each provider says that its data is what it was.
 */
import { type DataRevision, type Envelope, type HopRecord, type Plan, type Query, Role } from "#contracts";
import { sortedNames } from "./by-name.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What is asked, by whom. Who else asks the same may be allowed other columns, and may not learn who asked before. */
export function questionKey(subject: string, query: Query): string {
  const { id: _, reuse: __, ...asked } = query;
  return canonicalJson({
    subject,
    ...asked,
    providers: sortedNames(asked.providers),
    dataSets: sortedNames(asked.dataSets),
  });
}

/** What a plan makes of it: all of what is agreed that bears on the result, with the revisions of the agreements. */
export function planKey({ chains, verdicts }: Plan): string {
  return canonicalJson({
    chains,
    terms: verdicts.map(({ provider, decision }) => ({
      provider,
      terms: decision?.$case === "terms" ? decision.value : "refused",
    })),
  });
}

/** Whose data a plan opens. */
export function openedBy({ chains }: Plan): string[] {
  return chains.filter(({ role }) => role !== Role.COMPUTE_PROVIDER).map(({ party }) => party);
}

/** @returns what each provider read, as it named that; undefined: one of them did not say */
export function dataOf(plan: Plan, trail: readonly HopRecord[]): DataRevision[] | undefined {
  const data = openedBy(plan).flatMap((provider) => {
    const read = trail.find((hop) => hop.party === provider && hop.chain === provider && hop.dataRevision !== "");
    return read === undefined ? [] : [{ provider, revision: read.dataRevision }];
  });
  return data.length === openedBy(plan).length ? data : undefined;
}

/** Whether providers are only asked if their data is still what an earlier answer was made of. */
export function isComparing({ query }: Pick<Envelope, "query">): boolean {
  return (query?.reuse?.data.length ?? 0) > 0;
}
