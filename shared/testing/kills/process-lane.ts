/** As lane.ts, over sidecars that are processes: what kills them is SIGKILL. */
import { setTimeout as wait } from "node:timers/promises";
import { openProcessWorld } from "../mortal/process-world.ts";
import type { RabbitMq } from "../rabbitmq.ts";
import { endOf, type Lane } from "./lane.ts";
import type { Kill, Run } from "./plan.ts";
import { count, type Tally, tallyEnd, tallyReplies } from "./tally.ts";

type WorkerKill = Extract<Kill, { kind: "worker" }>;

export interface ProcessLaneOptions {
  readonly rabbitmq: RabbitMq;
  readonly tally: Tally;
  readonly queryMs: number;
}

const idleTriesMax = 30;
const lookAgainMs = 1_000;
/** Names of production: those of other lanes have a prefix. */
const ownQueue = /^(exchange|uva|vu|surf)\./;

export async function openProcessLane({ rabbitmq, tally, queryMs }: ProcessLaneOptions): Promise<Lane> {
  const armed = new Map<WorkerKill, number>();
  const world = await openProcessWorld({
    brokerUrl: rabbitmq.url,
    crashes: (name) => {
      for (const [kill, left] of armed) {
        if (!name.startsWith(`${kill.party.toLowerCase()}-`)) continue;
        armed.set(kill, left - 1);
        if (left > 1) continue;
        armed.delete(kill);
        count(tally.kills, `function ${kill.how}`);
        return kill.how;
      }
      return undefined;
    },
  });

  async function disturb(kill: Kill): Promise<void> {
    if (kill.kind !== "process") return;
    await wait(kill.afterMs);
    if (world.killProcess(kill.party)) count(tally.kills, "sidecar process");
  }

  async function run({ index, queries, kills }: Run): Promise<void> {
    for (const kill of kills) if (kill.kind === "worker") armed.set(kill, kill.nth);
    const disturbing = Promise.all(kills.map(disturb));
    const ends = await Promise.all(queries.map((asked) => endOf(world, asked, queryMs)));
    armed.clear();
    for (const end of ends) tallyEnd(tally, `run ${index}, in processes,`, end);
    tally.runs += 1;
    await disturbing;
    // So that the next run begins with two of each, and what it kills leaves one.
    await world.allReady();
  }

  async function close(): Promise<void> {
    for (let tries = 0; tries < idleTriesMax && (await isBusy(rabbitmq)); tries++) await wait(lookAgainMs);
    if (await isBusy(rabbitmq)) tally.left.push("a sidecar process that still has something in hand");
    const alive = await world.stopProcesses();
    if (alive.length > 0) tally.left.push(`processes that did not end: ${alive.join(", ")}`);
    tallyReplies(tally, world.replies);
    await world.close();
  }

  return { run, close };
}

async function isBusy(rabbitmq: RabbitMq): Promise<boolean> {
  const queues = await rabbitmq.queues();
  return queues.some(({ name, unacknowledged }) => ownQueue.test(name) && unacknowledged > 0);
}
