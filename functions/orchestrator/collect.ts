/** Which replies of a query are there, and whether more can still come: pure. */
import {
  type Chain,
  ErrorCode,
  type Failure,
  type HopRecord,
  type Plan,
  type Reason,
  type Refusal,
  type Reply,
  type Result,
  type Verdict,
} from "#contracts";

export interface ChainEnd {
  readonly chain: string;
  readonly party: string;
  readonly content:
    | { readonly result: Result }
    | { readonly failure: Failure }
    | { readonly refusal: Refusal }
    | { readonly unchanged: boolean };
}

export interface Collected {
  /** Of which the rest is; what came of earlier ones does not count any more. */
  readonly attempt: number;
  readonly plan: Plan | undefined;
  /** Providers that an earlier attempt was allowed to ask. */
  readonly allowedBefore: readonly string[];
  /** By chain id; each chain ends once. */
  readonly ends: ReadonlyMap<string, ChainEnd>;
  /** Set when the query ended before there was a plan. */
  readonly refused: Refusal | undefined;
  readonly failed: Failure | undefined;
  readonly trail: readonly HopRecord[];
}

export const nothingCollected: Collected = {
  attempt: 1,
  plan: undefined,
  allowedBefore: [],
  ends: new Map(),
  refused: undefined,
  failed: undefined,
  trail: [],
};

export function collect(known: Collected, reply: Reply): Collected {
  if (reply.attempt < known.attempt) return known;
  const before = reply.attempt > known.attempt ? nextAttempt(known, reply.attempt) : known;
  const seen = { ...before, trail: mergeTrail(before.trail, reply.trail) };
  const { content } = reply;
  if (content?.$case === "plan") {
    return { ...seen, plan: withRevoked(content.value, before.allowedBefore) };
  }
  if (reply.chain === "") {
    return content?.$case === "refusal"
      ? {
          ...seen,
          refused: { reasons: content.value.reasons.map((reason) => revokedOf(reason, before.allowedBefore)) },
        }
      : { ...seen, failed: content?.$case === "failure" ? content.value : unreadable(reply) };
  }
  if (before.ends.has(reply.chain)) {
    return seen;
  }
  return { ...seen, ends: new Map(before.ends).set(reply.chain, endOf(reply)) };
}

/** What was agreed has changed, and the query was planned again. */
function nextAttempt({ plan, allowedBefore }: Collected, attempt: number): Collected {
  const allowed = (plan?.verdicts ?? []).filter(({ decision }) => decision?.$case === "terms");
  const providers = new Set([...allowedBefore, ...allowed.map(({ provider }) => provider)]);
  return { ...nothingCollected, attempt, allowedBefore: [...providers] };
}

/** Who was allowed when the query began, and is not any more, was not refused but had it withdrawn. */
function withRevoked(plan: Plan, allowedBefore: readonly string[]): Plan {
  if (allowedBefore.length === 0) return plan;
  const verdicts = plan.verdicts.map((verdict): Verdict => {
    const { provider, decision } = verdict;
    if (decision?.$case !== "refusal" || !allowedBefore.includes(provider)) return verdict;
    return { provider, decision: { $case: "refusal", value: { reasons: decision.value.reasons.map(revoked) } } };
  });
  return { ...plan, verdicts };
}

function revoked(reason: Reason): Reason {
  return reason.code === ErrorCode.DENIED ? { ...reason, code: ErrorCode.REVOKED } : reason;
}

/** Of a refusal as a whole, where each clause begins with the provider whose agreement it is in. */
function revokedOf(reason: Reason, allowedBefore: readonly string[]): Reason {
  const isOf = (provider: string) => reason.clause === provider || reason.clause.startsWith(`${provider}.`);
  return allowedBefore.some(isOf) ? revoked(reason) : reason;
}

/** The chains whose end is an answer: not those that feed a gather. */
export function answeringChains(plan: Plan): Chain[] {
  return plan.chains.filter((chain) => chain.gatherAt === "");
}

export function isComplete(collected: Collected): boolean {
  const { plan, refused, failed } = collected;
  if (refused !== undefined || failed !== undefined) return true;
  return plan !== undefined && answeringChains(plan).every((chain) => hasEnded(chain, collected));
}

/** A gather has ended too when one of its providers can't deliver: there will be no union. */
export function hasEnded(chain: Chain, { plan, ends }: Collected): boolean {
  return (
    ends.has(chain.id) || (plan?.chains ?? []).some((feeder) => feeder.gatherAt === chain.id && ends.has(feeder.id))
  );
}

function endOf(reply: Reply): ChainEnd {
  const place = { chain: reply.chain, party: reply.party };
  const { content } = reply;
  switch (content?.$case) {
    case "result":
      return { ...place, content: { result: content.value } };
    case "refusal":
      return { ...place, content: { refusal: content.value } };
    case "failure":
      return { ...place, content: { failure: content.value } };
    case "comparison":
      return { ...place, content: { unchanged: content.value.unchanged } };
    default:
      return { ...place, content: { failure: unreadable(reply) } };
  }
}

function unreadable(reply: Reply): Failure {
  return { code: ErrorCode.INTERNAL, message: "a reply without content", party: reply.party, step: "" };
}

/** The control hops are on every chain's trail; each hop counts once, the longest run of it. */
function mergeTrail(known: readonly HopRecord[], more: readonly HopRecord[]): HopRecord[] {
  const byHop = new Map(known.map((record) => [hopKey(record), record]));
  for (const record of more) {
    byHop.set(hopKey(record), record);
  }
  return [...byHop.values()].sort((a, b) => a.takenAtMs - b.takenAtMs || a.hop - b.hop);
}

function hopKey({ party, chain, hop, step }: HopRecord): string {
  return `${party}/${chain}/${hop}/${step}`;
}
