/**
 * Three members of etcd, the knowledge base of a whole system, stopped and started again one after the other while
 * queries are asked and an agreement is changed; then the leader is killed. A program, not a test: some minutes.
 */
import { setTimeout as wait } from "node:timers/promises";
import { agreementKey } from "#domain/knowledge-keys";
import { type Etcd, hasEtcd, startEtcds } from "../etcd.ts";
import { rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { type Changes, changedParty, forgotten, startChanges } from "./changes.ts";
import { report, say, sayAll } from "./report.ts";
import { type Stream, startStream } from "./stream.ts";
import { openRollingWorld, type RollingWorld } from "./world.ts";

/** Of a member, until so many queries have ended and so many changes were acknowledged without it. */
const awayFor = { queries: 4, changes: 2 };
const awayMsMax = 120_000;
/** Between two members: who has gone to another one uses it. */
const betweenMs = 3_000;
const pollMs = 100;

interface Traffic {
  readonly stream: Stream;
  readonly changes: Changes;
}

async function restartEach(etcds: readonly Etcd[], traffic: Traffic): Promise<void> {
  for (const [i, etcd] of etcds.entries()) await takeAway(etcd, `member ${i + 1}`, "SIGTERM", traffic);
  const leader = await leaderOf(etcds);
  await takeAway(leader, `member ${etcds.indexOf(leader) + 1}, which leads,`, "SIGKILL", traffic);
}

async function takeAway(etcd: Etcd, name: string, signal: "SIGTERM" | "SIGKILL", traffic: Traffic): Promise<void> {
  const before = ended(traffic);
  const startedAt = performance.now();
  say(`${new Date().toISOString()} ${name} gets ${signal}`);
  await (signal === "SIGTERM" ? etcd.terminate() : etcd.kill());
  const isEnough = ({ queries, changes }: typeof before) =>
    queries >= before.queries + awayFor.queries && changes >= before.changes + awayFor.changes;
  while (!isEnough(ended(traffic))) {
    if (performance.now() - startedAt > awayMsMax) throw new Error(`without ${name} nothing goes on`);
    await wait(pollMs);
  }
  await etcd.start();
  const now = ended(traffic);
  const meanwhile = `${now.queries - before.queries} queries ended, ${now.changes - before.changes} changes acknowledged`;
  say(`${new Date().toISOString()} it is back after ${Math.round(performance.now() - startedAt)} ms: ${meanwhile}`);
  await wait(betweenMs);
}

function ended({ stream, changes }: Traffic) {
  const right = Object.values(stream.tally.right).reduce((sum, one) => sum + one, 0);
  return { queries: right + stream.tally.failed.length, changes: changes.tally.acknowledged.length };
}

async function leaderOf(etcds: readonly Etcd[]): Promise<Etcd> {
  for (const etcd of etcds) {
    const [{ Status }] = JSON.parse(await etcd.control("endpoint", "status", "--write-out", "json"));
    if (Status.leader === Status.header.member_id) return etcd;
  }
  throw new Error("no member leads");
}

async function run(etcds: readonly Etcd[], world: RollingWorld): Promise<boolean> {
  const { orchestrator } = world;
  const user = "visitor@example.org";
  const steward = await world.orchestratorFor({ user: "steward@example.org", roles: ["steward"], party: changedParty });
  const visitor = { ...(await world.orchestratorFor({ user })), user };
  const stream = await startStream({ orchestrator, perSecond: 2, runningMax: 4, timeoutMs: 60_000 });
  const changes = startChanges({ steward, visitor, pauseMs: 500 });
  let tally: Awaited<ReturnType<Changes["end"]>>;
  try {
    await restartEach(etcds, { stream, changes });
  } catch (error) {
    // At once: what still runs may take long to end.
    say(`✘ ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    tally = await changes.end();
    await stream.end();
  }
  const isRight = report(stream.tally);
  const { acknowledged, putAgain, waitedFor, withoutEffect, slowestMs } = tally;
  say(`${acknowledged.length} changes acknowledged; the slowest took ${slowestMs} ms`);
  sayAll("put again", putAgain);
  sayAll("answered before each party had carried them out", waitedFor);
  sayAll("without effect", withoutEffect);
  const lost = await forgotten(steward, acknowledged);
  sayAll("lost", lost.map(String));
  const differing = await notAsLast(etcds, acknowledged.at(-1) ?? 0);
  sayAll("members without the last one", differing);
  return isRight && withoutEffect.length === 0 && lost.length === 0 && differing.length === 0;
}

/** @returns who holds another revision of the agreement than the one acknowledged last */
async function notAsLast(etcds: readonly Etcd[], revision: number): Promise<string[]> {
  const held = etcds.map(async (etcd) => {
    const { kvs } = JSON.parse(await etcd.control("get", agreementKey(changedParty), "--write-out", "json"));
    return { url: etcd.url, revision: kvs[0].mod_revision as number };
  });
  return (await Promise.all(held)).filter((one) => one.revision !== revision).map((one) => JSON.stringify(one));
}

async function main(): Promise<void> {
  if (!hasEtcd() || rabbitmqServer() === undefined) {
    say("SKIPPED: etcd and rabbitmq-server are needed, one of them is not installed");
    return;
  }
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const etcds = await startEtcds(3);
    closers.push(() => Promise.all(etcds.map((etcd) => etcd.stop())));
    const rabbitmq = await startRabbitmq();
    closers.push(() => rabbitmq.stop());
    const etcd = etcds.map(({ url }) => url).join();
    const world = await openRollingWorld({ brokerUrls: [rabbitmq.url], queueType: "classic", etcd });
    closers.push(() => world.close());
    if (!(await run(etcds, world))) process.exitCode = 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

await main();
process.exit();
