/** A chain's first message as the exchange sends it: decided on, signed with the test's key, and planned. */
import { signApprovals } from "#approval/sign";
import { Envelope, type Knowledge, type Query } from "#contracts";
import { firstEnvelopes } from "#domain/first-envelopes";
import { makePlan } from "#domain/plan";
import { approvalsOf, evaluate } from "#domain/policy";
import { testSigningKey } from "./approval-keys.ts";

export interface Starting {
  readonly query: Query;
  /** Of the exchange and of the party alike. */
  readonly knowledge: Knowledge;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly deadlineMs: number;
}

/** @throws Error when no chain of that party is planned */
export function startedChain(party: string, { query, knowledge, nowMs, deadlineMs }: Starting): Envelope {
  const request = Envelope.fromPartial({ queryId: query.id, attempt: 1, deadlineMs, replyTo: "reply.exchange.1" });
  const verdicts = query.providers.map((provider) => evaluate(query, provider, knowledge, nowMs));
  const signing = { query, replyTo: request.replyTo, attempt: 1, nowMs, key: testSigningKey };
  const decision = { verdicts, approvals: signApprovals(approvalsOf(query, verdicts, deadlineMs), signing) };
  const plan = makePlan(query, decision, knowledge, 1);
  if ("reasons" in plan) throw new RangeError(plan.reasons.map(({ message }) => message).join());
  const envelope = firstEnvelopes(plan, { ...request, query }, decision).find((one) => one.party === party);
  if (envelope === undefined) throw new RangeError(`no chain of ${party} is planned`);
  return { ...envelope, knowledge };
}
