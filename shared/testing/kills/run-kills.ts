/** Many seeded runs over one RabbitMQ, several at the same time, and the count of what became of them. */
import { setTimeout as wait } from "node:timers/promises";
import { mortalLinks } from "../mortal/world.ts";
import type { RabbitMq } from "../rabbitmq.ts";
import { type Lane, openLane } from "./lane.ts";
import { planOf, type Run } from "./plan.ts";
import { count, emptyTally, type Tally } from "./tally.ts";

export interface KillsOptions {
  readonly rabbitmq: RabbitMq;
  readonly seed: number;
  readonly runs: number;
  readonly lanes: number;
  /** Runs between two restarts of the broker; 0: none. */
  readonly restartEvery: number;
  readonly onRun: (tally: Tally) => void;
}

/** A broker that is started again on a busy machine is away for many seconds. */
const queryMsMax = { withRestarts: 60_000, withoutRestarts: 20_000 };
/** A transfer that its writer's death left behind expires. */
const expiryMsMax = 90_000;
const lookAgainMs = 1_000;

export async function runKills(options: KillsOptions): Promise<Tally> {
  const { rabbitmq, seed, runs, lanes, restartEvery, onRun } = options;
  const tally = emptyTally();
  const queryMs = restartEvery > 0 ? queryMsMax.withRestarts : queryMsMax.withoutRestarts;
  const prefixes = Array.from({ length: lanes }, (_, lane) => `kills${seed}.${lane}.`);
  const links = prefixes.map((prefix) => mortalLinks(rabbitmq.url, prefix));
  const open: Lane[] = [];
  let next = 0;

  async function go(lane: Lane): Promise<void> {
    while (next < runs) {
      const run: Run = planOf(seed, next++, restartEvery);
      const restart = run.restartsBroker ? restarted() : Promise.resolve();
      await lane.run(run);
      await restart;
      onRun(tally);
    }
  }

  async function restarted(): Promise<void> {
    count(tally.kills, "broker");
    const startedAt = performance.now();
    await rabbitmq.restart();
    tally.brokerAwayMs.push(Math.round(performance.now() - startedAt));
  }

  try {
    // What is left is looked at before it is removed.
    for (const link of links) {
      open.push(await openLane({ links: { open: link.open, removeAll: async () => {} }, tally, queryMs }));
    }
    await Promise.all(open.map(go));
  } finally {
    await Promise.all(open.map((lane) => lane.close()));
  }
  tally.left.push(...(await leftOf(rabbitmq)));
  for (const one of links) await one.removeAll();
  return tally;
}

/** Durable queues must be empty but for dead letters, and there must be no others. */
async function leftOf(rabbitmq: RabbitMq): Promise<string[]> {
  for (let leftMs = expiryMsMax; ; leftMs -= lookAgainMs) {
    const wrong = (await rabbitmq.queues()).filter(
      ({ name, ready, unacknowledged }) =>
        /transfer\.|reply\./.test(name) || unacknowledged > 0 || (ready > 0 && !name.endsWith("dead-letters")),
    );
    if (wrong.length === 0 || leftMs <= 0) {
      return wrong.map(
        ({ name, ready, unacknowledged }) => `${name}: ${ready} ready, ${unacknowledged} unacknowledged`,
      );
    }
    await wait(lookAgainMs);
  }
}
