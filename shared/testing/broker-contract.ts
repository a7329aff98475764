/** What every broker adapter must do. Runs over memory and over RabbitMQ. */
import { afterEach, beforeEach } from "vitest";
import type { Broker } from "#ports/broker";
import { connectionContract } from "./broker-contract/connection.ts";
import { connectorFaultsContract } from "./broker-contract/connector-faults.ts";
import { deadLetterContract } from "./broker-contract/dead-letters.ts";
import { deliveryContract } from "./broker-contract/delivery.ts";
import type { BrokerWorld } from "./broker-contract/kit.ts";
import { retryContract } from "./broker-contract/retry.ts";
import { routingContract } from "./broker-contract/routing.ts";
import { transfersContract } from "./transfers-contract.ts";

export function brokerContract(openWorld: () => Promise<BrokerWorld>): void {
  let world: BrokerWorld;
  let broker: Broker;

  beforeEach(async () => {
    world = await openWorld();
    broker = await world.connect("UVA");
  });

  afterEach(() => world.close());

  const opened = () => ({ world, broker });
  routingContract(opened);
  deliveryContract(opened);
  retryContract(opened);
  deadLetterContract(opened);
  connectionContract(opened);
  connectorFaultsContract(opened);
  transfersContract(opened);
}
