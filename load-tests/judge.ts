/** Whether an answer is right. Pure: the k6 scripts and the autocannon driver judge alike. */
import type { Question } from "./questions.ts";

/** By question, then by party: what that party's result was, as text. */
export type References = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Answer {
  /** It says by a header that it is the orchestrator's: a proxy may say 200 by itself. */
  readonly isFromOrchestrator: boolean;
  /** Its JSON has an end. */
  readonly isWhole: boolean;
  readonly complete: boolean;
  readonly archetypes: readonly string[];
  /** By party. */
  readonly results: Readonly<Record<string, string>>;
  /** Code by provider. */
  readonly refused: Readonly<Record<string, string>>;
  /** Of a problem document. */
  readonly code: string;
}

export interface Judging {
  readonly references?: References | undefined;
  readonly mayRefuse?: readonly string[];
}

interface Json {
  readonly complete?: boolean;
  readonly code?: string;
  readonly archetypes?: readonly { readonly archetype: string }[];
  readonly results?: readonly Readonly<Record<string, unknown>>[];
  readonly refused?: readonly { readonly provider: string; readonly code: string }[];
}

/** Codes with which a provider may leave while its agreement changes. */
const refusals = ["DENIED", "REVOKED"];

/** @returns what is wrong, or undefined */
export function wrongness(question: Question, status: number, answer: Answer, judging: Judging): string | undefined {
  const { references, mayRefuse = [] } = judging;
  const canBeAlone = question.body.providers.every((provider) => mayRefuse.includes(provider));
  if (status === 403 && canBeAlone && refusals.includes(answer.code)) return undefined;
  if (status !== 200) return `status ${status}`;
  if (!answer.isFromOrchestrator) return "a 200 without X-Query-Complete, which is not the orchestrator's answer";
  if (!answer.isWhole) return "the answer broke off: its JSON has no end";
  if (!answer.complete) return "the answer is not complete";
  const missing = question.answeredBy.filter((party) => answer.results[party] === undefined);
  const unexplained = missing.filter((party) => {
    return !(mayRefuse.includes(party) && refusals.includes(answer.refused[party] ?? ""));
  });
  if (unexplained.length > 0) return `no result of ${unexplained.join(", ")}`;
  if (!answer.archetypes.every((archetype) => archetype === question.archetype)) {
    return `computed as ${answer.archetypes.join(", ")} instead of ${question.archetype}`;
  }
  return references && changed(references[question.name] ?? {}, answer);
}

function changed(reference: Readonly<Record<string, string>>, { results }: Answer): string | undefined {
  const party = Object.keys(results).find((name) => results[name] !== reference[name]);
  return party === undefined ? undefined : `the result of ${party} is not the one that it was before the load`;
}

/** Of any body, also one that is no JSON. @param headers their names written in any way */
export function answerOf(body: unknown, headers: object = {}): Answer {
  const found = parsed(body);
  const json = found ?? {};
  return {
    isFromOrchestrator: Object.keys(headers).some((name) => name.toLowerCase() === "x-query-complete"),
    isWhole: found !== undefined,
    complete: json.complete === true,
    code: json.code ?? "",
    archetypes: (json.archetypes ?? []).map(({ archetype }) => archetype),
    results: Object.fromEntries((json.results ?? []).map(({ party, ...result }) => [party, JSON.stringify(result)])),
    refused: Object.fromEntries((json.refused ?? []).map(({ provider, code }) => [provider, code])),
  };
}

/** Code and detail of a problem document, in one line. */
export function problemOf(body: unknown): string {
  const { code, detail } = (parsed(body) ?? {}) as { code?: string; detail?: string };
  return code === undefined ? "" : `(${code}: ${detail ?? ""})`;
}

function parsed(body: unknown): Json | undefined {
  if (typeof body !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
