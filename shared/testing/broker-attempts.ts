/** What the broker user uva may not do where each party has its own: tried on a channel of its own. */
import { setTimeout as wait } from "node:timers/promises";
import type { ConfirmChannel } from "amqplib";

export interface Attempt {
  readonly name: string;
  /** @param transferOfVu name of a queue that holds a table of VU for SURF */
  run(channel: ConfirmChannel, transferOfVu: string): unknown;
  /** A part of what the broker says to it. */
  readonly said: string;
}

/** Published without the broker's objection; they must not arrive at vu.sql-query, nor as a cancel. */
export interface Detour {
  readonly name: string;
  run(channel: ConfirmChannel): Promise<unknown>;
}

const bytes = Buffer.from("x");
const theirs = "vu.sql-query";
const inVhost = "in vhost 'dynamos' refused for user 'uva'";
const passing = { durable: false, autoDelete: true };
/** Whoever got it would take it for a message of the system. */
const cancel = { userId: "uva", messageId: "detour", correlationId: "q1", type: "control" };
let traps = 0;
const trap = () => `uva.trap-${++traps}`;

export const attempts: readonly Attempt[] = [
  {
    name: "publishing in another's name",
    run: (channel) => channel.publish("uva.out", "uva.sql-query", bytes, { userId: "vu" }),
    said: "user_id property set to 'vu' but authenticated user was 'uva'",
  },
  {
    name: "consuming another's queue",
    run: (channel) => channel.consume(theirs, () => {}),
    said: `queue '${theirs}' ${inVhost}`,
  },
  {
    name: "taking one message of another's queue",
    run: (channel) => channel.get(theirs),
    said: `queue '${theirs}' ${inVhost}`,
  },
  {
    name: "emptying another's queue",
    run: (channel) => channel.purgeQueue(theirs),
    said: `queue '${theirs}' ${inVhost}`,
  },
  {
    name: "deleting another's queue",
    run: (channel) => channel.deleteQueue(theirs),
    said: `queue '${theirs}' ${inVhost}`,
  },
  {
    name: "declaring another's queue before it does",
    run: (channel) => channel.assertQueue("vu.not-there-yet", passing),
    said: `queue 'vu.not-there-yet' ${inVhost}`,
  },
  {
    name: "declaring a queue of nobody",
    run: (channel) => channel.assertQueue("", passing),
    said: "refused for user 'uva'",
  },
  {
    name: "declaring another's replies",
    run: (channel) => channel.assertQueue("reply.vu.i1", passing),
    said: "queue 'reply.vu.i1'",
  },
  {
    name: "binding its queue by a key of another",
    run: async (channel) => {
      const { queue } = await channel.assertQueue(trap(), passing);
      await channel.bindQueue(queue, "vu.in", theirs);
    },
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "binding its queue to what another sends",
    run: async (channel) => {
      const { queue } = await channel.assertQueue(trap(), passing);
      await channel.bindQueue(queue, "vu.out", "#");
    },
    said: `exchange 'vu.out' ${inVhost}`,
  },
  {
    name: "binding an exchange of its own by a key of another",
    run: async (channel) => {
      const { exchange } = await channel.assertExchange(trap(), "fanout", passing);
      await channel.bindExchange(exchange, "vu.in", "#");
    },
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "publishing to another's queue through the default exchange",
    run: (channel) => channel.sendToQueue(theirs, bytes),
    said: `exchange 'amq.default' ${inVhost}`,
  },
  {
    name: "publishing a key of another",
    run: (channel) => channel.publish("uva.out", theirs, bytes),
    said: `topic '${theirs}' in exchange 'uva.out' ${inVhost}`,
  },
  {
    name: "publishing straight into another's inlet",
    run: (channel) => channel.publish("vu.in", theirs, bytes),
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "publishing where another does",
    run: (channel) => channel.publish("vu.out", theirs, bytes),
    said: "exchange 'vu.out'",
  },
  {
    name: "sending a cancel",
    run: (channel) => channel.publish("uva.out", "control.cancel", bytes),
    said: `topic 'control.cancel' in exchange 'uva.out' ${inVhost}`,
  },
  {
    name: "filling another's dead letters",
    run: (channel) => channel.publish("uva.out", "vu.dead-letters", bytes),
    said: `topic 'vu.dead-letters' in exchange 'uva.out' ${inVhost}`,
  },
  {
    name: "filling another's retries",
    run: (channel) => channel.publish("vu.retry.50", "vu.sql-query.again", bytes),
    said: `exchange 'vu.retry.50' ${inVhost}`,
  },
  {
    name: "reading another's dead letters",
    run: (channel) => channel.get("vu.dead-letters"),
    said: "queue 'vu.dead-letters'",
  },
  {
    name: "a queue whose dead letters go into another's inlet",
    run: (channel) => channel.assertQueue(trap(), { ...passing, deadLetterExchange: "vu.in" }),
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "a queue whose dead letters go through the default exchange",
    run: (channel) =>
      channel.assertQueue(trap(), {
        ...passing,
        arguments: { "x-dead-letter-exchange": "" },
        deadLetterRoutingKey: theirs,
      }),
    said: `exchange 'amq.default' ${inVhost}`,
  },
  {
    name: "an exchange of its own that leads into another's inlet",
    run: async (channel) => {
      const { exchange } = await channel.assertExchange(trap(), "fanout", passing);
      await channel.bindExchange("vu.in", exchange, "");
    },
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "an exchange of its own whose rest goes into another's inlet",
    run: (channel) => channel.assertExchange(trap(), "direct", { ...passing, alternateExchange: "vu.in" }),
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "more keys through its outlet",
    run: (channel) => channel.bindExchange("vu.in", "uva.out", "#"),
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "deleting its outlet",
    run: (channel) => channel.deleteExchange("uva.out"),
    said: `exchange 'uva.out' ${inVhost}`,
  },
  {
    name: "deleting another's inlet",
    run: (channel) => channel.deleteExchange("vu.in"),
    said: `exchange 'vu.in' ${inVhost}`,
  },
  {
    name: "reading a table that is for another",
    run: (channel, transferOfVu) => channel.get(transferOfVu),
    said: "queue 'transfer.vu.surf.",
  },
  {
    name: "writing into a table of another",
    run: (channel, transferOfVu) => channel.publish("uva.out", transferOfVu, bytes),
    said: "topic 'transfer.vu.surf.",
  },
  {
    name: "dropping a table of another",
    run: (channel, transferOfVu) => channel.deleteQueue(transferOfVu),
    said: "queue 'transfer.vu.surf.",
  },
  {
    name: "a table that is sent in another's name",
    run: (channel) => channel.assertQueue("transfer.vu.surf.made-up", passing),
    said: "queue 'transfer.vu.surf.made-up'",
  },
];

export const detours: readonly Detour[] = [
  {
    name: "a second address in its header",
    run: async (channel) => {
      const { queue } = await channel.assertQueue(trap(), passing);
      await channel.bindQueue(queue, "uva.in", queue);
      channel.publish("uva.out", queue, bytes, { ...cancel, CC: [theirs], BCC: ["control.cancel"] });
    },
  },
  {
    name: "the dead letters of its own queue",
    run: async (channel) => {
      const deadLetter = { deadLetterExchange: "uva.out", deadLetterRoutingKey: theirs };
      const { queue } = await channel.assertQueue(trap(), { ...passing, ...deadLetter });
      await channel.bindQueue(queue, "uva.in", queue);
      channel.publish("uva.out", queue, bytes, { ...cancel, expiration: "0" });
      await channel.waitForConfirms();
      await untilEmpty(channel, queue);
    },
  },
  {
    name: "an exchange of its own before its outlet",
    run: async (channel) => {
      const { exchange } = await channel.assertExchange(trap(), "fanout", { durable: false });
      await channel.bindExchange("uva.out", exchange, "");
      channel.publish(exchange, theirs, bytes, cancel);
      channel.publish(exchange, "control.cancel", bytes, cancel);
    },
  },
];

async function untilEmpty(channel: ConfirmChannel, queue: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await channel.checkQueue(queue)).messageCount === 0) return;
    await wait(25);
  }
  throw new Error(`${queue} is not empty`);
}
