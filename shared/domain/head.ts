/** The head of an answer: its first rows, which are sent while the rest is still made (docs/decisions/0028). */
import type { Envelope } from "#contracts";
import { rowsAlgorithm } from "./clause-checks.ts";

/** What they make of a row hangs on no other row, so they make of a head the head of what they make of the whole. */
const rowByRow: ReadonlySet<string> = new Set(["sql-query", "sql-anonymize", "sql-aggregate", "sql-algorithm"]);

/** Whether no algorithm is asked for: the rows go on as they are. */
export function isRows(algorithm: { readonly name: string } | undefined): boolean {
  const name = algorithm?.name.toLowerCase() ?? "";
  return name === "" || name === rowsAlgorithm;
}

/** Whether a head is asked for, and the head of its table would become the head of the answer. */
export function givesHead({ query, chain, gather }: Pick<Envelope, "query" | "chain" | "gather">): boolean {
  const steps = [...(chain?.steps ?? []), ...(gather?.steps ?? [])];
  return query?.head === true && isRows(query.algorithm) && steps.every((step) => rowByRow.has(step));
}
