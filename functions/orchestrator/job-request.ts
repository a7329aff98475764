/** What clients say of jobs and of their queries. */
import { InvalidDocument, queryRequestFromJson } from "#contracts/documents";
import type { JobJson } from "#contracts/json-documents";
import { isJsonObject } from "#contracts/validation";
import { limits } from "#domain/limits";

/** What a query of a job may say; the rest is the job's. */
const ofAQuery: ReadonlySet<string> = new Set(["sql", "algorithm", "options", "timeoutMs"]);

/** The body of `POST /v1/jobs`. @throws InvalidDocument */
export function jobRequest(json: unknown) {
  const { leaseMs = limits.jobLeaseMsDefault, ...request } = objectOf(json, "job");
  if (!Number.isInteger(leaseMs) || Number(leaseMs) < 1_000 || Number(leaseMs) > limits.jobLeaseMsMax) {
    const message = `must be a whole number from 1000 to ${limits.jobLeaseMsMax}`;
    throw new InvalidDocument("job", [{ path: "/leaseMs", message }]);
  }
  if (Object.hasOwn(request, "sql")) {
    throw new InvalidDocument("job", [{ path: "/sql", message: "belongs to the queries of the job, not to the job" }]);
  }
  const { query } = queryRequestFromJson({ ...request, sql: "SELECT 1" });
  const { user: _, ...kept } = request;
  return { request: kept, query, leaseMs: Number(leaseMs) };
}

/** The body of `POST /v1/jobs/{id}/queries`. @throws InvalidDocument: what is the job's can't be said anew */
export function jobQuery(json: unknown): Readonly<Record<string, unknown>> {
  const body = objectOf(json, "query request");
  const problems = Object.keys(body)
    .filter((name) => !ofAQuery.has(name))
    .map((name) => ({ path: `/${name}`, message: "is the job's: leave it out, or ask outside of the job" }));
  if (problems.length > 0) throw new InvalidDocument("query request", problems);
  return body;
}

/** The job's options hold where its query says nothing of them. */
export function withOptionsOf({ request }: JobJson, more: Readonly<Record<string, unknown>>): object {
  return { ...more, options: { ...objectOr(request.options), ...objectOr(more.options) } };
}

/** Whether it is one is for the schema to say. */
function objectOr(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function objectOf(json: unknown, kind: string): Readonly<Record<string, unknown>> {
  if (isJsonObject(json)) return json;
  throw new InvalidDocument(kind, [{ path: "", message: "must be object" }]);
}
