/** Recorded requests under the agreement that there is, and under one that might come. */
import { setImmediate as turn } from "node:timers/promises";
import type { Agreement, Query } from "#contracts";
import { agreementFromJson, InvalidDocument, queryRequestFromJson } from "#contracts/documents";
import { isJsonObject } from "#contracts/validation";
import { everybodyOnline, flipsOf } from "#domain/explain/policy-diff";
import { limits } from "#domain/limits";
import { unusedBy } from "#domain/policy";
import { flipJson } from "./explanation-json.ts";
import type { Snapshot } from "./policy-snapshot.ts";

export interface Comparison {
  readonly agreement: Agreement;
  readonly requests: readonly Query[];
}

/** Recorded requests were asked when their parties were there: all count as online. */
export async function comparedJson(
  { agreement, requests }: Comparison,
  { knowledge, revision }: Pick<Snapshot, "knowledge" | "revision">,
) {
  const nowMs = Date.now();
  const online = everybodyOnline(knowledge);
  const flips = [];
  for (const [index, query] of requests.entries()) {
    // Others' requests are answered in between.
    if (index % limits.diffRequestsPerTurn === 0) await turn();
    // How many queries were left when it was asked is another question than whether it is allowed.
    const changes = flipsOf({ query, knowledge: { ...online, usage: unusedBy(query.providers) }, nowMs }, agreement);
    if (changes.length > 0) flips.push({ request: index, user: query.user?.name, changes: changes.map(flipJson) });
  }
  return { revision, agreement: agreement.name, requests: requests.length, flips };
}

/** @throws InvalidDocument with the paths of what is wrong, also inside the agreement and each request */
export function comparisonFromJson(json: unknown): Comparison {
  const { agreement, requests } = isJsonObject(json) ? json : {};
  if (!Array.isArray(requests) || requests.length > limits.diffRequestsMax) {
    const message = `must be an array of at most ${limits.diffRequestsMax} requests`;
    throw new InvalidDocument("comparison", [{ path: "/requests", message }]);
  }
  return {
    agreement: below("/agreement", () => agreementFromJson(agreement, 0)),
    requests: requests.map((request, index) =>
      below(`/requests/${index}`, () => {
        const query = queryFromJson(request);
        if (query.user?.name) return query;
        throw new InvalidDocument("query request", [{ path: "/user", message: "must say who asked" }]);
      }),
    ),
  };
}

/** The SQL plays no part in what is allowed at all: it may be left out. */
export function queryFromJson(json: unknown): Query {
  const isWithoutSql = isJsonObject(json) && !Object.hasOwn(json, "sql");
  return queryRequestFromJson(isWithoutSql ? { ...json, sql: "SELECT 1" } : json).query;
}

/** Paths of what is inside another document. */
function below<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    throw new InvalidDocument(
      "comparison",
      error.problems.map((problem) => ({ ...problem, path: path + problem.path })),
    );
  }
}
