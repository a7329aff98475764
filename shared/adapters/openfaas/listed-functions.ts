/** Reads the file that stands in for a gateway's list of functions. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export interface ListedFunction {
  /** Of the catalogue, e.g. `sql-query`: the same file does for every party. */
  readonly step: string;
  /** Of the function itself; envelopes are posted to its root. */
  readonly url: URL;
  /** Invocations at once. */
  readonly concurrency: number;
  /** Steps that its process may go on with. Absent: none. */
  readonly fuses?: readonly string[];
}

const known = ["step", "url", "concurrency", "fuse"];
/** A word of a queue's name: neither a dot nor one of the broker's wildcards. */
const stepForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
export const concurrencyMax = 1_024;

/**
 * @param json `[{ "step": "sql-query", "url": "http://sql-query:8080", "concurrency": 4, "fuse": "sql-algorithm" }]`; the last two may be absent
 * @param file for messages
 * @throws DynamosError FUNCTION_UNAVAILABLE naming the entry and the field
 */
export function listedFunctions(json: string, file: string): ListedFunction[] {
  const wrong = (what: string, cause?: unknown) =>
    new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `the list of functions, ${file}, ${what}`, { cause });
  let entries: unknown;
  try {
    entries = JSON.parse(json);
  } catch (cause) {
    throw wrong("is not JSON", cause);
  }
  if (!Array.isArray(entries)) throw wrong("must be a list");
  const listed = entries.map((entry: unknown, index) => {
    const result = functionOf(entry);
    if (typeof result === "string") throw wrong(`entry ${index + 1}: ${result}`);
    return result;
  });
  const twice = listed.find(({ step }, index) => listed.findIndex((one) => one.step === step) !== index);
  if (twice !== undefined) throw wrong(`names the step ${twice.step} twice`);
  return listed;
}

/** @returns what is wrong, where something is */
function functionOf(entry: unknown): ListedFunction | string {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "must be an object";
  const unknown = Object.keys(entry).find((key) => !known.includes(key));
  if (unknown !== undefined) return `unknown field ${unknown}; there are ${known.join(", ")}`;
  const { step, url, concurrency = limits.concurrencyDefault, fuse = "" } = entry as Readonly<Record<string, unknown>>;
  if (typeof step !== "string" || !stepForm.test(step)) {
    return "step must be the name of a step without its party, such as sql-query";
  }
  const address = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !/^https?:$/.test(address.protocol)) {
    return "url must begin with http:// or https://";
  }
  if (address.username !== "" || address.password !== "") return "url must not hold credentials";
  if (!Number.isInteger(concurrency) || (concurrency as number) < 1 || (concurrency as number) > concurrencyMax) {
    return `concurrency must be a whole number from 1 to ${concurrencyMax}`;
  }
  const fuses = fuse === "" ? undefined : fusesIn(fuse);
  if (fuse !== "" && fuses === undefined) return "fuse must name steps, such as sql-algorithm,sql-graph";
  return { step, url: address, concurrency: concurrency as number, ...(fuses === undefined ? {} : { fuses }) };
}

/** @returns the steps of a comma list; undefined: that is none */
export function fusesIn(list: unknown): string[] | undefined {
  const steps = typeof list === "string" ? list.split(",").map((step) => step.trim()) : [];
  return steps.length > 0 && steps.every((step) => stepForm.test(step)) ? steps : undefined;
}
