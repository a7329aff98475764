/** Three RabbitMQ nodes that form a cluster on loopback, as operators restart them: one after the other. */
import { randomUUID } from "node:crypto";
import { freePort } from "./free-port.ts";
import { ended, type RabbitMq, startEpmd, startRabbitmq } from "./rabbitmq.ts";

export interface RabbitMqCluster {
  readonly nodes: readonly RabbitMq[];
  /** As `DYNAMOS_BROKER` takes them; begins with the node of this index. */
  urls(first?: number): string;
  stop(): Promise<void>;
}

const size = 3;

/** @throws Error when RabbitMQ is not installed, or a node is not up in a minute */
export async function startRabbitmqCluster(configuration: readonly string[] = []): Promise<RabbitMqCluster> {
  const membership = { epmdPort: await freePort(), cookie: randomUUID().replaceAll("-", "") };
  const epmd = startEpmd(membership.epmdPort);
  const abort = () => void epmd.kill("SIGKILL");
  process.once("exit", abort);
  const nodes: RabbitMq[] = [];

  async function stop(): Promise<void> {
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    await ended(epmd, (signal) => void epmd.kill(signal));
    process.off("exit", abort);
  }

  try {
    // One after the other: each finds the first and joins it.
    for (let i = 0; i < size; i++) nodes.push(await startRabbitmq([...configuration, ...found(nodes[0])], membership));
    // What the system looks like to its users is proved by its tests; that this is one cluster, here.
    for (const node of nodes) await node.control("await_online_nodes", String(size));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    urls: (first = 0) => nodes.map((_, i) => nodes[(first + i) % nodes.length]?.url).join(),
    stop,
  };
}

function found(first: RabbitMq | undefined): string[] {
  if (first === undefined) return [];
  return [
    "cluster_formation.peer_discovery_backend = classic_config",
    `cluster_formation.classic_config.nodes.1 = ${first.node}`,
  ];
}
