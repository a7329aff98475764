/** Listens to all that goes through a RabbitMQ's exchange, and sends what nobody of the system has sent. */
import { type ConsumeMessage, connect, type Options } from "amqplib";
import { Envelope, Reply } from "#contracts";
import { exchange } from "#domain/route";

export interface Heard {
  readonly routingKey: string;
  /** `envelope`, `reply`, `control` or `chunk`. */
  readonly type: string;
  readonly id: string;
  readonly queryId: string;
  readonly body: Buffer;
}

export interface BrokerTap {
  /** In the broker's order; bodies of chunks are left out. */
  readonly heard: readonly Heard[];
  /** Where `heard` stands when it holds all that was confirmed until now. */
  mark(): Promise<number>;
  send(routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void>;
  /** Takes what lies in a queue. */
  drain(queue: string): Promise<ConsumeMessage[]>;
  close(): Promise<void>;
}

const markType = "mark";
const markMsMax = 30_000;

export async function openBrokerTap(url: string): Promise<BrokerTap> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const heard: Heard[] = [];
  const marks = new Map<string, (at: number) => void>();
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "#");
  await channel.consume(
    queue,
    (raw) => {
      if (raw === null) return;
      const { type, messageId: id, correlationId: queryId } = raw.properties;
      if (type === markType) marks.get(id)?.(heard.length);
      else heard.push({ routingKey: raw.fields.routingKey, type, id, queryId, body: bodyOf(raw) });
    },
    { noAck: true },
  );

  const send: BrokerTap["send"] = (routingKey, body, properties) =>
    new Promise((done, failed) =>
      channel.publish(exchange, routingKey, Buffer.from(body), properties, (error) =>
        error === null || error === undefined ? done() : failed(error),
      ),
    );

  return {
    heard,
    mark: () =>
      new Promise((done, failed) => {
        const id = String(marks.size);
        const late = setTimeout(() => failed(new Error("the broker did not bring a mark back")), markMsMax);
        marks.set(id, (at) => {
          clearTimeout(late);
          done(at);
        });
        // A queue that is bound to everything has it behind all that was confirmed before.
        send("mark", new Uint8Array(), { type: markType, messageId: id }).catch(failed);
      }),
    send,
    drain: async (name) => {
      const taken: ConsumeMessage[] = [];
      for (let raw = await channel.get(name, { noAck: true }); raw !== false; ) {
        taken.push(raw as unknown as ConsumeMessage);
        raw = await channel.get(name, { noAck: true });
      }
      return taken;
    },
    close: () => connection.close(),
  };
}

/** What of a party's data leaves it with this message, in words; undefined: nothing. */
export function leavingOf({ type, routingKey, body }: Heard, party: string): string | undefined {
  const [kind, writer, reader] = routingKey.split(".");
  const own = party.toLowerCase();
  if (type === "chunk") return kind === "transfer" && writer === own && reader !== own ? "a chunk" : undefined;
  if (type === "reply") {
    const { content, party: from } = Reply.decode(body);
    return content?.$case === "result" && from === party ? "a result" : undefined;
  }
  if (type !== "envelope" || kind === own) return undefined;
  const { inputs } = Envelope.decode(body);
  return inputs.some(({ provider, payload }) => provider === party && payload !== undefined) ? "a part" : undefined;
}

function bodyOf(raw: ConsumeMessage): Buffer {
  return raw.properties.type === "chunk" ? Buffer.alloc(0) : raw.content;
}
