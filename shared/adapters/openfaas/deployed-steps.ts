/** From a gateway's list of functions to the steps that a party serves. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { DeployedStep } from "#ports/invoker";
import { concurrencyMax, fusesIn } from "./listed-functions.ts";

/** The broker's wildcards: a queue bound by one would get what other functions serve, a second time. */
const pattern = /[*#]/;

/**
 * A function is the party's when a name of its annotation `topic` (a comma list, as with
 * OpenFaaS's connectors) begins with `<party>.` and its annotation `com.dynamos.party`, where
 * there is one, says the same.
 *
 * @param json the body of GET /system/functions: an array of FunctionStatus
 * @throws DynamosError FUNCTION_UNAVAILABLE when it is not such a list, or an annotation can't be read
 */
export function deployedSteps(json: string, party: string): DeployedStep[] {
  return listOf(json).flatMap((entry) => {
    const { name, annotations } = functionOf(entry);
    const owner = annotations["com.dynamos.party"];
    if (typeof owner === "string" && owner.toLowerCase() !== party.toLowerCase()) return [];
    return topicsOf(annotations.topic)
      .filter((topic) => topic.startsWith(`${party.toLowerCase()}.`))
      .map((topic) => ({
        name,
        topic: checkedTopic(name, topic),
        concurrency: concurrencyOf(name, annotations["com.dynamos.concurrency"]),
        ...fusesOf(name, annotations["com.dynamos.fuse"]),
      }));
  });
}

function listOf(json: string): unknown[] {
  const value = parse(json);
  // A gateway without functions answers null: Go's empty list.
  if (value === null) return [];
  if (!Array.isArray(value)) throw unreadable("the gateway's list of functions is not a list");
  return value;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw unreadable("the gateway's list of functions is not JSON", cause);
  }
}

function functionOf(entry: unknown): { name: string; annotations: Record<string, unknown> } {
  const { name, annotations } = (entry ?? {}) as { name?: unknown; annotations?: unknown };
  if (typeof name !== "string") throw unreadable("the gateway lists a function without a name");
  return { name, annotations: typeof annotations === "object" && annotations !== null ? { ...annotations } : {} };
}

function topicsOf(annotation: unknown): string[] {
  if (typeof annotation !== "string") return [];
  const topics = annotation.split(",").map((topic) => topic.trim());
  return [...new Set(topics)].filter((topic) => topic !== "");
}

function checkedTopic(name: string, topic: string): string {
  if (pattern.test(topic)) throw unreadable(`the annotation topic of ${name} must name steps: ${topic} is a pattern`);
  return topic;
}

function concurrencyOf(name: string, annotation: unknown): number {
  if (annotation === undefined || annotation === "") return limits.concurrencyDefault;
  const value = /^\d+$/.test(String(annotation)) ? Number(annotation) : Number.NaN;
  if (!(value >= 1 && value <= concurrencyMax)) {
    throw unreadable(
      `the annotation com.dynamos.concurrency of ${name} must be a whole number from 1 to ${concurrencyMax}`,
    );
  }
  return value;
}

function fusesOf(name: string, annotation: unknown): Pick<DeployedStep, "fuses"> {
  if (annotation === undefined || annotation === "") return {};
  const fuses = fusesIn(annotation);
  if (fuses !== undefined) return { fuses };
  throw unreadable(`the annotation com.dynamos.fuse of ${name} must name steps, such as sql-algorithm,sql-graph`);
}

function unreadable(message: string, cause?: unknown): DynamosError {
  return new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, message, { cause });
}
