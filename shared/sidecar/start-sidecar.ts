/** Puts a party's sidecar together: the only program of the party that speaks to the broker. */
import type { ApprovalKeys } from "#approval/approval-keys";
import { Cancel, type Envelope, ErrorCode, type Plan, type Query, type Reply } from "#contracts";
import { limits } from "#domain/limits";
import { cancelTopic, gatherTopic, replyTopic } from "#domain/route";
import { DynamosError, hasCode } from "#errors";
import type { Broker, BrokerStatus, Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { DeployedStep, Invoker } from "#ports/invoker";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import type { Records } from "#ports/records";
import type { Transfers } from "#ports/transfers";
import { type Applied, appliedBy } from "./applied.ts";
import { createApprovalCheck } from "./approval-check.ts";
import { createCancelled } from "./cancelled.ts";
import { type DeliverTools, deliver, deliverAgain } from "./deliver.ts";
import { dropTransfers } from "./drop-transfers.ts";
import { createEnforcement } from "./enforcement.ts";
import { createGathers } from "./gather.ts";
import { createHandled } from "./handled.ts";
import { createInHand } from "./in-hand.ts";
import { keepJobs } from "./job-keeper.ts";
import { openKnowledgeCache } from "./knowledge-cache.ts";
import { capacityOf, createLoadMeter, sayLoad } from "./load.ts";
import { createOutbox } from "./outbox.ts";
import { isPoison, readReply, reasonOf } from "./poison.ts";
import { announce } from "./presence.ts";
import { recordChanges } from "./recorded-changes.ts";
import { recordedLines } from "./recorded-lines.ts";
import { createRecorder, unrecorded } from "./recorder.ts";
import { createRequests } from "./requests.ts";
import { consumeSteps } from "./step-consumers.ts";
import { createUsageCounter } from "./usage-counter.ts";
import { createVouched, unvouched } from "./vouched.ts";

export interface SidecarOptions {
  readonly party: string;
  /** The party that hosts the control steps: only its steps see everybody's agreements. */
  readonly exchangeParty: string;
  /** Unique among the sidecars of all parties; part of the reply queue's name. */
  readonly instance: string;
  readonly broker: Broker;
  readonly knowledge: Knowledge;
  readonly invoker: Invoker;
  /** Of the policy step: what it has not signed does not run here, nor leave. */
  readonly approvalKeys: ApprovalKeys;
  /** Of this party, for this sidecar alone; absent: nothing is recorded. Stays open. */
  readonly records?: Records | undefined;
  /** Of this code, for the record. */
  readonly build?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the list of functions is read again. */
  readonly refreshMs?: number;
}

export interface Sidecar {
  readonly party: string;
  readonly knowledge: Knowledge;
  readonly transfers: Transfers;
  request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply>;
  /** Tells every sidecar that nobody waits for this query any more. */
  cancel(queryId: string): Promise<void>;
  /** An earlier answer is about to be given again: resolves when that is on record. @throws DynamosError RECORD_UNAVAILABLE */
  recordReuse(query: Query, plan: Plan): Promise<void>;
  /** What is on record of a query, or all for an empty id; the first line names the key. @throws DynamosError NOT_FOUND, RECORD_UNAVAILABLE */
  readRecords(queryId: string): AsyncIterable<string>;
  /** Waits until every sidecar that is online carries out what is agreed up to this revision, or until time is up. */
  applied(revision: number, waitMs: number): Promise<Applied>;
  /** `inKnowledge`: others wait for this sidecar before they say that a change is carried out; else nothing leaves it. */
  status(): { broker: BrokerStatus; inKnowledge: boolean; openRequests: number; openGathers: number };
  /**
   * Takes no more work: gives waiting parts back, and resolves when the hops in hand have ended. Meanwhile it carries
   * out changes, and replies still reach who has asked here.
   */
  drain(): Promise<void>;
  /** Drains, then leaves. */
  stop(): Promise<void>;
}

export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { party, broker, knowledge, clock, instance } = options;
  const log = options.log.with({ party });
  const replyTo = replyTopic(party, instance);
  const cache = await openKnowledgeCache({ ...options, log });
  const cancelled = createCancelled(clock);
  const approvals = createApprovalCheck({ ...options, keys: options.approvalKeys });
  const enforcement = createEnforcement({ cache, cancelled, approvals, clock, log });
  const { records, build = "" } = options;
  const recorder = records === undefined ? unrecorded : createRecorder({ records, build, clock, log });
  const changes = records && (await recordChanges({ knowledge, records, build, clock, log }));
  const inHand = createInHand();
  const requests = createRequests({
    broker,
    clock,
    replyTo,
    drop: (names) => dropTransfers(names, broker.transfers, log),
    cancel: (queryId, upToAttempt) => publishCancel(broker, queryId, upToAttempt),
    cache,
    log,
  });
  /** Filled before the consumers start: a message that waits is delivered at once. */
  const functions = new Map<string, DeployedStep>();
  const tools: DeliverTools = {
    party,
    invoker: options.invoker,
    clock,
    log,
    cache,
    errorOf: enforcement.errorOf,
    inHand,
    usage: createUsageCounter({ knowledge, cache, clock }).count,
    recorder,
    transfers: broker.transfers,
    outbox: createOutbox(broker, clock, log),
    functionFor: (step) => functions.get(step),
  };
  const gathers = createGathers(tools);
  const meter = createLoadMeter(clock, () => capacityOf(functions.values()));
  const handled = createHandled(clock);
  const vouched = broker.vouchesForSenders ? createVouched({ ...options, log }) : unvouched;

  /** What is not wanted or not agreed any more. */
  async function endAll(): Promise<void> {
    await Promise.all([inHand.end(enforcement.errorOf), gathers.end()]);
  }

  async function hear(delivery: Delivery): Promise<Disposition> {
    if (delivery.type === "control") {
      cancelled.cancel(delivery.queryId, upToAttemptOf(delivery));
      void endAll();
      return { kind: "done" };
    }
    const reply = readReply(delivery);
    if (!isPoison(reply)) {
      await requests.take(reply);
      return { kind: "done" };
    }
    requests.fail(delivery.queryId, new DynamosError(reply.code, reply.message));
    return { kind: "dead-letter", reason: reasonOf(reply) };
  }

  await broker.declare([
    { name: replyTo, bindings: [replyTo, cancelTopic], kind: "private" },
    { name: gatherTopic(party), bindings: [gatherTopic(party)], kind: "work", singleActive: true },
  ]);
  const replies = await broker.consume(replyTo, { prefetch: 64 }, vouched.replies(hear));
  const parts = await broker.consume(
    gatherTopic(party),
    { prefetch: limits.gatherPartsMax },
    vouched.parts(gathers.take),
  );
  const steps = await consumeSteps({
    functions,
    broker,
    invoker: options.invoker,
    clock,
    log,
    refreshMs: options.refreshMs ?? 5_000,
    handle: vouched.steps((delivery) =>
      handled.once(
        delivery,
        (first) => meter.hold(() => deliver(first, tools)),
        (again) => deliverAgain(again, tools),
      ),
    ),
  });
  const presence = await announce(knowledge, party, instance, clock);
  const carryOut = async () => void (await Promise.all([endAll(), requests.keepUp()]));
  await enforcement.follow(carryOut, presence);
  const stopSaying = sayLoad({ meter, say: presence.loaded, clock, log });
  const stopKeeping = party === options.exchangeParty ? keepJobs({ knowledge, cache, clock, log }) : () => {};
  log.log("info", "sidecar ready", { instance });
  let draining: Promise<unknown> | undefined;

  /** Its lease lasts until then: a change waits for what is in hand here, and a hop whose sidecar has left is not run. */
  async function drain(): Promise<void> {
    if (draining === undefined) {
      const consumers = [steps.stop(), parts.cancel()];
      // After the consumer: what is given back must not come here again.
      gathers.stop();
      draining = Promise.all(consumers);
    }
    await draining;
  }

  return {
    party,
    knowledge,
    transfers: broker.transfers,
    request: requests.request,
    cancel: (queryId) => publishCancel(broker, queryId, 0),
    recordReuse: recorder.reused,
    readRecords: (queryId) => recordedLines(records, queryId),
    applied: (revision, waitMs) => appliedBy(cache, clock, revision, waitMs),
    status: () => ({
      broker: broker.status(),
      inKnowledge: presence.isSaid(cache.revision),
      openRequests: requests.open,
      openGathers: gathers.open,
    }),
    drain,
    stop: async () => {
      stopKeeping();
      stopSaying();
      await drain();
      enforcement.stop();
      await presence.leave();
      await replies.cancel();
      changes?.stop();
      cache.close();
      requests.stop();
      log.log("info", "sidecar stopped", { instance });
    },
  };
}

/** A cancel that can't be read is of everything: nobody works on what may not be wanted. */
function upToAttemptOf({ body }: Delivery): number {
  try {
    return Cancel.decode(body).upToAttempt;
  } catch {
    return 0;
  }
}

async function publishCancel(broker: Broker, queryId: string, upToAttempt: number): Promise<void> {
  try {
    await broker.publish({
      id: `${queryId}/cancel/${upToAttempt}`,
      routingKey: cancelTopic,
      type: "control",
      queryId,
      body: Cancel.encode({ queryId, upToAttempt }).finish(),
      traceparent: "",
    });
  } catch (error) {
    // Nobody listens: then nobody works on it either.
    if (!hasCode(error, ErrorCode.UNROUTABLE)) throw error;
  }
}
