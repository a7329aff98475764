/** A whole system in one process whose sidecars can be killed one by one and started again. */
import { randomUUID } from "node:crypto";
import { createMemoryInvoker } from "#adapters/memory/invoker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog, type MemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { Reply } from "#contracts";
import { replyTopic } from "#domain/route";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Step } from "#runtime/define-step";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import { demoDocuments } from "../../../cli/demo/documents.ts";
import archetypeSelector from "../../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../../functions/policy-enforcer/handler.ts";
import { approvalEnvironment, testApprovalKeys } from "../approval-keys.ts";
import { exchangeParty } from "../asker.ts";
import { personenOf } from "../personen.ts";
import { type Crash, Life, mortalBroker, mortalClock, mortalInvoker, mortalKnowledge, type Point } from "./life.ts";
import { amqpLinks, type Link, type Links } from "./links.ts";
import { madeUpSteps } from "./made-up-steps.ts";

export interface Mortal {
  readonly party: string;
  readonly life: Life;
  readonly link: Link;
  readonly sidecar: Sidecar;
  /** Routing key of its reply queue. */
  readonly replyTo: string;
  /** Ends it without a farewell. Idempotent; resolves when its connection is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface MortalWorldOptions {
  readonly links: Links;
  /** Besides the control steps; absent: the made-up ones. */
  readonly steps?: Readonly<Record<string, readonly Step[]>>;
  /** Asked at each point of each sidecar's work but the asker's; true: it dies there. */
  readonly dies?: (point: Point, party: string) => boolean;
  /** Asked at each call of a function: whether and how its process dies. */
  readonly crashes?: (name: string) => Crash | undefined;
}

export interface MortalWorld {
  /** The exchange's, which runs no steps: its own death is the end of those who ask through it. */
  readonly asker: Mortal;
  /** Alive or dead, the asker among them. */
  readonly mortals: readonly Mortal[];
  /** Names of the transfers that are there; also of those that a sidecar left to expire as it died. */
  readonly transfers: ReadonlySet<string>;
  /** Every reply that came to the asker, repeated ones too. */
  readonly replies: readonly Reply[];
  readonly knowledge: Knowledge;
  readonly log: MemoryLog;
  alive(party: string): Mortal[];
  start(party: string): Promise<Mortal>;
  /** Whether nobody has anything in hand. */
  isIdle(): boolean;
  close(): Promise<void>;
}

export const mortalParties = [exchangeParty, "UVA", "VU", "SURF"] as const;
const controlSteps = [policyEnforcer, archetypeSelector];
/** Durable queues of a world over the made-up steps. */
const mortalQueues = [
  ...mortalParties.map((party) => `${party.toLowerCase()}.gather`),
  ...Object.entries({ ...madeUpSteps, [exchangeParty]: controlSteps }).flatMap(([party, steps]) =>
    steps.map(({ name }) => `${party.toLowerCase()}.${name}`),
  ),
];

/** Over RabbitMQ, under a prefix of its own. */
export function mortalLinks(url: string, prefix = `t${randomUUID()}.`): Links {
  return amqpLinks({ url, prefix, queues: mortalQueues, parties: mortalParties, log: createMemoryLog() });
}

export async function openMortalWorld(options: MortalWorldOptions): Promise<MortalWorld> {
  const { links, dies = () => false, crashes = () => undefined } = options;
  const steps: Record<string, readonly Step[]> = { ...(options.steps ?? madeUpSteps), [exchangeParty]: controlSteps };
  const knowledge = createMemoryKnowledge({ clock: systemClock });
  for (const { key, value } of [...demoDocuments, personenOf("UVA"), personenOf("VU")]) {
    await knowledge.put(key, JSON.stringify(value));
  }
  const log = createMemoryLog();
  const mortals: Mortal[] = [];
  const replies: Reply[] = [];
  const transfers = new Set<string>();

  async function startWith(
    { party, own, isMortal }: { party: string; own: readonly Step[]; isMortal: boolean },
    tap: (broker: Broker) => Broker,
  ): Promise<Mortal> {
    const link = await links.open(party);
    const instance = randomUUID();
    const life = new Life((point) => isMortal && dies(point, party));
    const invoker = createMemoryInvoker(
      own.map((step) => {
        const place = party.toLowerCase();
        return { name: `${place}-${step.name}`, topic: `${place}.${step.name}`, step };
      }),
      { clock: systemClock, environment: approvalEnvironment },
    );
    let gone: Promise<void> | undefined;
    const kill = () => {
      life.end();
      return gone ?? Promise.resolve();
    };
    life.onEnd(() => {
      gone = link.destroy();
    });
    const starting = startSidecar({
      party,
      exchangeParty,
      instance,
      broker: tap(mortalBroker(link.broker, life, transfers)),
      knowledge: mortalKnowledge(knowledge, life),
      invoker: mortalInvoker(invoker, life, crashes),
      approvalKeys: testApprovalKeys,
      clock: mortalClock(systemClock, life),
      log,
    });
    // Killed while it starts: whoever waits for it is told, whatever it then fails with.
    const killed = new Promise<never>((_, reject) => life.onEnd(() => reject(new Error(`${party} was killed`))));
    killed.catch(() => {});
    starting.catch(() => {});
    const sidecar = await Promise.race([starting, killed]).catch((error) => {
      // Its connection must not outlive it.
      life.end();
      throw error;
    });
    const stop = async () => {
      if (life.isOver) return kill();
      await sidecar.stop();
      await link.close();
      life.end();
    };
    const mortal: Mortal = { party, life, link, sidecar, replyTo: replyTopic(party, instance), kill, stop };
    mortals.push(mortal);
    return mortal;
  }

  const asker = await startWith({ party: exchangeParty, own: [], isMortal: false }, (broker) =>
    tapped(broker, replies),
  );
  return {
    asker,
    mortals,
    transfers,
    replies,
    knowledge,
    log,
    alive: (party) => mortals.filter((one) => one.party === party && one !== asker && !one.life.isOver),
    start: (party) => startWith({ party, own: steps[party] ?? [], isMortal: true }, (broker) => broker),
    isIdle: () =>
      mortals.every(({ life, sidecar }) => life.isOver || (life.inHand === 0 && sidecar.status().openGathers === 0)),
    close: async () => {
      await Promise.all(mortals.map((mortal) => mortal.stop()));
      await knowledge.close();
      await links.removeAll();
    },
  };
}

function tapped(broker: Broker, replies: Reply[]): Broker {
  return {
    ...broker,
    consume: (queue, options, handler) =>
      broker.consume(queue, options, (delivery) => {
        if (delivery.type === "reply") replies.push(Reply.decode(delivery.body));
        return handler(delivery);
      }),
  };
}
