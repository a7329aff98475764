/**
 * Three RabbitMQ nodes restarted one after the other while queries are asked, as docs/rolling-restarts.md says it is
 * done. A program, not a test: it takes some minutes and two GiB of memory.
 */
import { setTimeout as wait } from "node:timers/promises";
import { rabbitmqServer } from "../rabbitmq.ts";
import { type RabbitMqCluster, startRabbitmqCluster } from "../rabbitmq-cluster.ts";
import { report, say } from "./report.ts";
import { startStream } from "./stream.ts";
import { openRollingWorld } from "./world.ts";

/** Between two nodes: what has moved to the others is used there. */
const betweenMs = 3_000;

async function restartEach({ nodes }: RabbitMqCluster): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    // Exits when each quorum queue can do without this node.
    await node.tool("rabbitmq-upgrade", "await_online_quorum_plus_one", "--timeout", "60");
    const startedAt = performance.now();
    say(`${new Date().toISOString()} node ${i + 1} is restarted`);
    await node.restart();
    say(`${new Date().toISOString()} it was away for ${Math.round(performance.now() - startedAt)} ms`);
    await wait(betweenMs);
  }
}

async function run(cluster: RabbitMqCluster): Promise<boolean> {
  // Of the parties, each begins at another node.
  const brokerUrls = cluster.nodes.map((_, i) => cluster.urls(i));
  const world = await openRollingWorld({ brokerUrls, queueType: "quorum" });
  try {
    const { orchestrator } = world;
    const stream = await startStream({ orchestrator, perSecond: 1, runningMax: 6, timeoutMs: 60_000 });
    await restartEach(cluster);
    return report(await stream.end());
  } finally {
    await world.close();
  }
}

async function main(): Promise<void> {
  if (rabbitmqServer() === undefined) {
    say("SKIPPED: rabbitmq-server is not installed");
    return;
  }
  const cluster = await startRabbitmqCluster();
  try {
    if (!(await run(cluster))) process.exitCode = 1;
  } finally {
    await cluster.stop();
  }
}

await main();
process.exit();
