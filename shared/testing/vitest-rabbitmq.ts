/** One RabbitMQ for the whole test run, where it is installed; suites that need it ask for `amqpUrl`. */
import type { TestProject } from "vitest/node";
import { rabbitmqServer, startRabbitmq } from "./rabbitmq.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Empty: there is no RabbitMQ, live suites are skipped. */
    amqpUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const outside = process.env.DYNAMOS_TEST_AMQP_URL;
  if (outside !== undefined) {
    project.provide("amqpUrl", outside);
    return async () => {};
  }
  if (rabbitmqServer() === undefined) {
    process.stderr.write("SKIPPED: rabbitmq-server is not installed, the suites over a real RabbitMQ do not run\n");
    project.provide("amqpUrl", "");
    return async () => {};
  }
  const rabbitmq = await startRabbitmq();
  project.provide("amqpUrl", rabbitmq.url);
  return () => rabbitmq.stop();
}
