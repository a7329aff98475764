/** The queues that a stack's functions and parties have, where the broker itself does not list them. */
import { join } from "node:path";
import { partyQueues } from "#adapters/amqp/topology";
import { home, partiesOf } from "./parties.ts";
import { readStack } from "./read-stack.ts";

export interface StackQueues {
  readonly steps: readonly string[];
  /** Some of them are there only where they are needed. */
  readonly others: readonly string[];
}

/** @param file absent: the project's */
export async function queuesOfStack(file = join(home, "stack.yml")): Promise<StackQueues> {
  const stack = await readStack(file);
  const topics = stack.functions.flatMap(({ annotations }) => (annotations.topic ?? "").split(","));
  return {
    steps: [...new Set(topics.map((topic) => topic.trim()).filter(Boolean))].sort(),
    others: partiesOf(stack).flatMap(partyQueues),
  };
}
