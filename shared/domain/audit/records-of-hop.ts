/** What is recorded of one hop: what was decided, planned and run, and what is about to leave the party. */
import {
  Envelope,
  type HopRecord,
  type Knowledge,
  type Outcome,
  type Plan,
  type Query,
  type Reason,
  type Verdict,
} from "#contracts";
import { labelOf } from "#errors";
import type { Effect } from "../carry-out.ts";
import { relationClause } from "../clause-checks.ts";
import { limits } from "../limits.ts";
import { contentsOf, type DigestBytes } from "./contents.ts";
import type {
  AgreementRevision,
  DecisionRecord,
  EarlierAnswer,
  FailureRecord,
  OfQuery,
  PlanRecord,
  QueryRecord,
  RefusalRecord,
  ReleaseRecord,
  ReuseRecord,
  Rule,
  Sha256,
} from "./record.ts";

export interface HopAsRun {
  readonly envelope: Envelope;
  readonly outcome: Outcome;
  readonly record: HopRecord;
  /** What the outcome causes. */
  readonly effects: readonly Effect[];
  /** What the step was given to know; undefined: it was not asked. */
  readonly attached: Knowledge | undefined;
  readonly functionBuild: string;
}

export interface Recording {
  readonly digest: DigestBytes;
  readonly sidecarBuild: string;
  readonly nowMs: number;
}

export function recordsOfHop(hop: HopAsRun, recording: Recording): QueryRecord[] {
  const { envelope, outcome, record } = hop;
  const about = aboutQuery(envelope, recording, revisionsOf(hop), hop.functionBuild);
  const chain = envelope.chain?.id ?? "";
  const step = {
    ...about,
    kind: "step" as const,
    step: envelope.step,
    chain,
    hop: envelope.hop,
    tries: record.tries,
    ms: Math.round(record.invokedMs * 1_000) / 1_000,
    outcome: outcome.decision?.$case ?? "nothing",
    contents: contentsOf(resultOf(outcome), recording.digest),
  };
  return [
    step,
    ...decisionsOf(hop, about),
    ...planOf(outcome, about),
    ...hop.effects.flatMap((effect) => releasesOf(effect, envelope, about, recording.digest)),
    ...endingsOf(hop, about),
  ];
}

/** Of a query's envelope, as each of its records has it. */
export function aboutQuery(
  { queryId, attempt, query }: Envelope,
  { digest, sidecarBuild, nowMs }: Recording,
  agreements: readonly AgreementRevision[],
  functionBuild = "",
): OfQuery {
  const { id = "", name = "" } = query?.user ?? {};
  return {
    atMs: nowMs,
    queryId,
    attempt,
    user: { id: shortened(id), name: shortened(name) },
    sqlSha256: sqlSha256(query?.sql ?? "", digest),
    agreements,
    code: { sidecar: sidecarBuild, function: functionBuild },
  };
}

export function approvedRevisions({ approvals }: Envelope): AgreementRevision[] {
  return approvals.map(({ provider, terms }) => ({ provider, revision: terms?.agreementRevision ?? 0 }));
}

/** At the exchange, of a query that is answered with what an earlier one was. */
export function recordOfReuse(query: Query, plan: Plan, recording: Recording): ReuseRecord {
  const envelope = Envelope.fromPartial({ queryId: query.id, attempt: plan.attempt, query });
  return { ...aboutQuery(envelope, recording, planRevisions(plan)), kind: "reuse", of: earlierAnswer(query) };
}

function earlierAnswer(query: Query | undefined): EarlierAnswer {
  const { queryId = "", answeredAtMs = 0 } = query?.reuse ?? {};
  return { queryId: shortened(queryId), answeredAtMs };
}

/** What leaves for another party; refusals and failures have records of their own. */
export function releasesOf(effect: Effect, from: Envelope, about: OfQuery, digest: DigestBytes): ReleaseRecord[] {
  const released = effect.kind === "reply" ? ofReply(effect) : ofEnvelope(effect);
  if (released === undefined || released.to === from.party.toLowerCase()) return [];
  const { to, what, chain, result } = released;
  const of = what === "unchanged" ? { of: earlierAnswer(from.query) } : {};
  return [{ ...about, kind: "release", to, what, chain, contents: contentsOf(result, digest), ...of }];
}

function ofReply({ routingKey, reply }: Extract<Effect, { kind: "reply" }>) {
  const to = routingKey.split(".")[1] ?? "";
  const { content, chain } = reply;
  if (content?.$case === "plan") return { to, what: "plan" as const, chain, result: undefined };
  if (content?.$case === "comparison" && content.value.unchanged) {
    return { to, what: "unchanged" as const, chain, result: undefined };
  }
  return content?.$case === "result" ? { to, what: "result" as const, chain, result: content.value } : undefined;
}

function ofEnvelope({ routingKey, envelope }: Extract<Effect, { kind: "send" }>) {
  const to = routingKey.split(".")[0] ?? "";
  const [input] = envelope.inputs;
  if (input?.failure !== undefined) return undefined;
  const content = input?.payload?.content;
  const result = content?.$case === "result" ? content.value : undefined;
  const what = result === undefined ? ("start" as const) : ("part" as const);
  return { to, what, chain: envelope.chain?.id ?? "", result };
}

/** The step of policy says it of each provider, also where it refuses all of them. */
function decisionsOf({ envelope, outcome, attached }: HopAsRun, about: OfQuery): DecisionRecord[] {
  const { decision } = outcome;
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  const user = envelope.query?.user?.name ?? "";
  const record = (provider: string, allowed: boolean, rules: Rule[], revision: number | undefined): DecisionRecord => ({
    ...about,
    kind: "decision",
    provider: shortened(provider),
    allowed,
    rules,
    agreements: revision === undefined ? [] : [{ provider, revision }],
  });
  const attachedRevision = (provider: string) => attached?.agreements.find(({ name }) => name === provider)?.revision;
  if (content?.$case === "decision") {
    return content.value.verdicts.map(({ provider, decision: verdict }) =>
      verdict?.$case === "terms"
        ? record(provider, true, [{ code: "", clause: relationClause(user) }], verdict.value.agreementRevision)
        : record(provider, false, rulesOf(verdict?.value.reasons ?? []), attachedRevision(provider)),
    );
  }
  const isPolicyStep = isControl(envelope) && envelope.inputs[0]?.payload?.content?.$case !== "decision";
  if (decision?.$case !== "refusal" || !isPolicyStep) return [];
  return (envelope.query?.providers ?? []).flatMap((provider) => {
    const reasons = reasonsOf(provider, decision.value.reasons);
    return reasons.length === 0 ? [] : [record(provider, false, rulesOf(reasons), attachedRevision(provider))];
  });
}

/** Of the reasons of several providers, which say whose they are: `UVA.relations["a@b.org"]`, or `UVA` alone. */
function reasonsOf(provider: string, reasons: readonly Reason[]): Reason[] {
  return reasons
    .filter(({ clause }) => clause === provider || clause.startsWith(`${provider}.`))
    .map((reason) => ({ ...reason, clause: reason.clause.slice(provider.length + 1) }));
}

function planOf({ decision }: Outcome, about: OfQuery): PlanRecord[] {
  const plan = decision?.$case === "fanOut" ? decision.value.plan : undefined;
  if (plan === undefined) return [];
  return [
    {
      ...about,
      kind: "plan",
      choices: plan.choices.map(({ archetype, providers, computeProvider, rule, why, considered }) => ({
        archetype,
        providers,
        computeProvider,
        rule,
        why,
        considered: considered.map((one) => one.archetype),
      })),
      chains: plan.chains.map(({ id, party, steps, providers, gatherAt }) => ({
        id,
        at: party,
        steps,
        providers,
        gatherAt,
      })),
    },
  ];
}

/** By what becomes of it: a table that may not leave ends in a failure, whatever the step decided. */
function endingsOf({ envelope, effects, outcome }: HopAsRun, about: OfQuery): (RefusalRecord | FailureRecord)[] {
  const place = { step: envelope.step, chain: envelope.chain?.id ?? "" };
  const { decision } = outcome;
  if (decision?.$case === "refusal") {
    const rules = decision.value.reasons.map((reason) => ruleOf(reason, isControl(envelope)));
    return [{ ...about, kind: "refusal", ...place, rules }];
  }
  return effects.flatMap((effect) => {
    const content = effect.kind === "reply" ? effect.reply.content : undefined;
    return content?.$case === "failure"
      ? [{ ...about, kind: "failure" as const, ...place, failure: labelOf(content.value.code) }]
      : [];
  });
}

/** The revisions on which the hop stands: of the plan, of its approvals, or of what the step was given. */
function revisionsOf({ envelope, outcome, attached }: HopAsRun): AgreementRevision[] {
  const { decision } = outcome;
  if (decision?.$case === "fanOut") return planRevisions(decision.value.plan);
  // A provider that refuses does so by its own agreement as it is now, not by the one that it was approved by.
  const given = (attached?.agreements ?? []).map(({ name, revision }) => ({ provider: name, revision }));
  if (envelope.approvals.length === 0) return given;
  return decision?.$case === "refusal" && given.length > 0 ? given : approvedRevisions(envelope);
}

function planRevisions(plan: Plan | undefined): AgreementRevision[] {
  return (plan?.verdicts ?? []).flatMap(({ provider, decision }: Verdict) =>
    decision?.$case === "terms" ? [{ provider, revision: decision.value.agreementRevision }] : [],
  );
}

function rulesOf(reasons: readonly Reason[]): Rule[] {
  return reasons.map((reason) => ruleOf(reason, true));
}

/** A clause is a path inside an agreement. A step that has seen data or SQL may say no more of it than field names. */
function ruleOf({ code, clause }: Reason, isPolicy: boolean): Rule {
  const path = isPolicy ? clause : clause.replace(/\["(?:[^"\\]|\\.)*"\]/g, "[]");
  const isPath = isPolicy || /^[A-Za-z.[\]]*$/.test(path);
  return { code: labelOf(code), clause: isPath ? shortened(path) : "" };
}

function resultOf({ decision }: Outcome) {
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" ? content.value : undefined;
}

function isControl({ chain }: Envelope): boolean {
  return (chain?.id ?? "") === "";
}

function sqlSha256(sql: string, digest: DigestBytes): Sha256 {
  return sql === "" ? "" : digest(sql);
}

function shortened(text: string): string {
  return text.length <= limits.recordNameCharsMax ? text : `${text.slice(0, limits.recordNameCharsMax - 1)}…`;
}
