/** Many seeded runs over one RabbitMQ, several at the same time, and the count of what became of them. */
import { setTimeout as wait } from "node:timers/promises";
import { limits } from "#domain/limits";
import { mortalLinks } from "../mortal/world.ts";
import type { RabbitMq } from "../rabbitmq.ts";
import { type Lane, openLane } from "./lane.ts";
import { type Frequencies, planOf, type Run } from "./plan.ts";
import { openProcessLane } from "./process-lane.ts";
import { count, emptyTally, type Tally } from "./tally.ts";

export interface KillsOptions extends Frequencies {
  readonly rabbitmq: RabbitMq;
  readonly seed: number;
  readonly runs: number;
  readonly lanes: number;
  readonly onRun: (tally: Tally) => void;
}

/** On a busy machine a broker that is started again is away for many seconds, and so is a process. */
const queryMsMax = { withRestarts: 60_000, withoutRestarts: 20_000 };
/** A transfer that its writer's death left behind expires: with its query, or an answer's when nobody renewed it. */
const expiryMsMax = queryMsMax.withRestarts + limits.transferUnrenewedMs + 30_000;
const lookAgainMs = 1_000;

export async function runKills(options: KillsOptions): Promise<Tally> {
  const { rabbitmq, seed, runs, lanes, onRun } = options;
  const tally = emptyTally();
  const hasRestarts = options.restartEvery > 0 || options.processesEvery > 0;
  const queryMs = hasRestarts ? queryMsMax.withRestarts : queryMsMax.withoutRestarts;
  const prefixes = Array.from({ length: lanes }, (_, lane) => `kills${seed}.${lane}.`);
  const links = prefixes.map((prefix) => mortalLinks(rabbitmq.url, prefix));
  const plans = Array.from({ length: runs }, (_, index) => planOf(seed, index, options));
  const inProcesses = plans.filter((run) => run.inProcesses);
  const others = plans.filter((run) => !run.inProcesses);
  const open: Lane[] = [];

  /** Several lanes take from one list. */
  async function go(lane: Lane, list: Run[]): Promise<void> {
    for (let run = list.shift(); run !== undefined; run = list.shift()) {
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
    const going = open.map((lane) => () => go(lane, others));
    if (inProcesses.length > 0) {
      const lane = await openProcessLane({ rabbitmq, tally, queryMs });
      open.push(lane);
      going.push(() => go(lane, inProcesses));
    }
    await Promise.all(going.map((start) => start()));
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
