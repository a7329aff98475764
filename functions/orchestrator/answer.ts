/** The answer to a query: what came back, by provider, with the reasons and the record. Pure. */
import { type Chain, ErrorCode, type Failure, type HopRecord, type Plan, type Result, Role } from "#contracts";
import { compareNames } from "#domain/by-name";
import { rowOf } from "#errors";
import { answeringChains, type Collected } from "./collect.ts";
import { choiceJson, planJson, verdictJson } from "./plan-json.ts";
import { failureJson, type Problem, problem, reasonJson, refusalProblem } from "./problem.ts";

export interface Answer {
  readonly id: string;
  /** HTTP status that says the same as the document. */
  readonly status: number;
  /** Of a query that was refused or failed as a whole: all that there is to say. */
  readonly problem: Problem | undefined;
  /** Whether every provider that was allowed has answered. */
  readonly complete: boolean;
  readonly results: readonly PartyResult[];
  /** Parties whose chains were to answer, in the order of the plan. */
  readonly answering: readonly string[];
  readonly failed: readonly Failure[];
  /** The earlier query whose results these are. */
  readonly reused?: Reused | undefined;
  /** What stands after the results in the document. */
  readonly record: Readonly<Record<string, unknown>>;
}

export interface PartyResult {
  readonly party: string;
  readonly providers: readonly string[];
  readonly archetype: string;
  readonly result: Result;
}

export interface AnswerFacts {
  readonly id: string;
  readonly collected: Collected;
  /** Why nothing more will come, when the plan is not complete. */
  readonly cutShort: Failure | undefined;
  readonly totalMs: number;
  /** The earlier query whose results these are. */
  readonly reused?: Reused;
}

export interface Reused {
  readonly queryId: string;
  /** Milliseconds since the epoch. */
  readonly answeredAtMs: number;
}

export function answerOf(facts: AnswerFacts): Answer {
  const { id, collected, totalMs } = facts;
  const { plan, refused } = collected;
  const timings = timingsJson(totalMs, collected.trail);
  if (plan === undefined) {
    return problemAnswer(
      id,
      refused === undefined
        ? failedProblem(collected.failed ?? facts.cutShort ?? nothingHeard, { id, timings })
        : refusalProblem(refused.reasons, { queryStatus: "refused", id, timings }),
    );
  }
  const results = answeringChains(plan).flatMap((chain) => resultsOf(chain, collected));
  const failed = failuresOf(plan, facts);
  const record = {
    ...(facts.reused === undefined ? {} : { reused: reusedJson(facts.reused) }),
    archetypes: plan.choices.map(choiceJson),
    verdicts: plan.verdicts.map(verdictJson),
    refused: refusedProviders(plan),
    failed: failed.map(failureJson),
    plan: planJson(plan),
    timings,
  };
  const [first] = failed;
  if (results.length === 0 && first !== undefined) {
    return problemAnswer(id, failedProblem(rootCause(failed) ?? first, { id, ...record }));
  }
  const answering = answeringChains(plan).map(({ party }) => party);
  const complete = failed.length === 0;
  const { reused } = facts;
  return { id, status: 200, problem: undefined, complete, results, answering, failed, reused, record };
}

/** Of a query that gives nothing but the reason why. */
export function problemAnswer(id: string, body: Problem): Answer {
  return {
    id,
    status: body.status,
    problem: body,
    complete: false,
    results: [],
    answering: [],
    failed: [],
    record: {},
  };
}

const nothingHeard: Failure = { code: ErrorCode.DEADLINE_EXCEEDED, message: "nothing came back", party: "", step: "" };

function failedProblem(failure: Failure, extensions: Readonly<Record<string, unknown>>) {
  const where = [failure.party, failure.step].filter(Boolean).join(" ");
  const detail = where === "" ? failure.message : `${where}: ${failure.message}`;
  const queryStatus = failure.code === ErrorCode.CANCELLED ? "cancelled" : "failed";
  return problem(failure.code, detail, { queryStatus, ...extensions });
}

/** What a user should read first: a missing part is only the echo of another failure. */
function rootCause(failed: readonly Failure[]): Failure | undefined {
  return failed.find((failure) => failure.code !== ErrorCode.PART_MISSING);
}

function resultsOf(chain: Chain, { ends }: Collected): PartyResult[] {
  const end = ends.get(chain.id);
  if (end === undefined || !("result" in end.content)) return [];
  const { party, providers, archetype } = chain;
  return [{ party, providers, archetype, result: end.content.result }];
}

function failuresOf(plan: Plan, { collected, ...facts }: AnswerFacts): Failure[] {
  const { ends } = collected;
  // The control chain may fail after its plan went out: then some chains never began.
  const cutShort = facts.cutShort ?? collected.failed;
  const ended: Failure[] = [];
  for (const { content, party } of ends.values()) {
    if ("failure" in content) ended.push(content.failure);
    if ("refusal" in content) {
      const reason = content.refusal.reasons[0];
      ended.push({ code: reason?.code ?? ErrorCode.DENIED, message: reason?.message ?? "refused", party, step: "" });
    }
  }
  const silent = plan.chains.filter((chain) => !ends.has(chain.id) && isAwaited(chain, plan, collected));
  const late = silent.map((chain) => ({ ...(cutShort ?? nothingHeard), party: chain.party }));
  // By party, so that the same query, failed twice, is answered alike.
  return [...ended, ...(cutShort === undefined ? [] : late)].sort((a, b) => compareNames(a.party, b.party));
}

/** Silent and to blame: a provider that fed its gather in time is silent by design. */
function isAwaited(chain: Chain, plan: Plan, { ends, trail }: Collected): boolean {
  if (chain.role !== Role.DATA_PROVIDER) {
    return !plan.chains.some((feeder) => feeder.gatherAt === chain.id && ends.has(feeder.id));
  }
  return (
    !ends.has(chain.gatherAt) &&
    !trail.some((record) => record.chain === chain.id && record.hop === chain.steps.length - 1)
  );
}

function reusedJson({ queryId, answeredAtMs }: Reused) {
  return { query: queryId, answeredAt: new Date(answeredAtMs).toISOString() };
}

function refusedProviders(plan: Plan) {
  return plan.verdicts.flatMap(({ provider, decision }) => {
    if (decision?.$case !== "refusal") return [];
    const { reasons } = decision.value;
    return [{ provider, code: rowOf(reasons[0]?.code ?? ErrorCode.DENIED).label, reasons: reasons.map(reasonJson) }];
  });
}

function timingsJson(totalMs: number, trail: readonly HopRecord[]) {
  return {
    totalMs: round(totalMs),
    hops: trail.map(({ party, step, invokedMs, rows, tries }) => ({
      party,
      step,
      invokedMs: round(invokedMs),
      ...(rows < 0 ? {} : { rows }),
      ...(tries > 1 ? { tries } : {}),
    })),
  };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
