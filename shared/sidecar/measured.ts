/** A broker and an invoker that count what passes through them. Around the adapters, so that nothing in between knows. */
import { toDynamosError } from "#errors";
import type { Broker, Delivery, Disposition } from "#ports/broker";
import type { Invoker } from "#ports/invoker";
import type { Metrics } from "#ports/metrics";
import type { Records } from "#ports/records";
import { marked } from "./path-marks.ts";

export function measuredBroker(broker: Broker, metrics: Metrics): Broker {
  const stopListening = broker.onStatus(({ kind }) => metrics.broker(kind));
  return {
    declare: (queues) => broker.declare(queues),
    publish: (message) =>
      measured(
        () => marked("publish", message.routingKey, () => broker.publish(message)),
        (code, seconds) => metrics.published({ type: message.type, code, seconds }),
      ),
    consume: (queue, options, handler) =>
      broker.consume(
        queue,
        options,
        measuredHandler(stepOf(queue), (delivery) => marked("handle", queue, () => handler(delivery)), metrics),
      ),
    visitDeadLetters: (max, visit) => broker.visitDeadLetters(max, visit),
    transfers: broker.transfers,
    vouchesForSenders: broker.vouchesForSenders,
    status: () => broker.status(),
    onStatus: (listener) => broker.onStatus(listener),
    close: async () => {
      await broker.close();
      stopListening();
    },
  };
}

export function measuredInvoker(invoker: Invoker, metrics: Metrics): Invoker {
  return {
    steps: () => invoker.steps(),
    invoke: (name, invocation, options) =>
      measured(
        () => marked("invoke", name, () => invoker.invoke(name, invocation, options)),
        (code, seconds) => metrics.invoked({ function: name, code, seconds }),
      ),
    close: () => invoker.close(),
  };
}

/** For those who measure here; operators see a disk that is slow in the hops that wait for it. */
export function measuredRecords(records: Records): Records {
  return {
    place: records.place,
    append: (batch) => marked("record", "", () => records.append(batch)),
    read: (fromSeq) => records.read(fromSeq),
    head: () => records.head(),
    close: () => records.close(),
  };
}

type Handler = (delivery: Delivery) => Promise<Disposition>;

function measuredHandler(step: string, handler: Handler, metrics: Metrics): Handler {
  return async (delivery) => {
    const startedAt = performance.now();
    metrics.taken(step);
    const end = (how: Disposition["kind"], code: string) =>
      metrics.settled({ step, how, code, seconds: (performance.now() - startedAt) / 1_000 });
    try {
      const disposition = await handler(delivery);
      end(disposition.kind, "reason" in disposition ? codeOf(disposition.reason) : "");
      return disposition;
    } catch (error) {
      // The adapter puts it aside.
      end("dead-letter", "INTERNAL");
      throw error;
    }
  };
}

async function measured<T>(run: () => Promise<T>, end: (code: string, seconds: number) => void): Promise<T> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  try {
    const result = await run();
    end("", seconds());
    return result;
  } catch (error) {
    end(toDynamosError(error).label, seconds());
    throw error;
  }
}

/** `uva.sql-query`: `sql-query`. A reply queue is named after its instance, which is not for a label. */
function stepOf(queue: string): string {
  const [first, ...rest] = queue.split(".");
  return first === "reply" ? "reply" : rest.join(".") || queue;
}

function codeOf(reason: string): string {
  return /^([A-Z_]+):/.exec(reason)?.[1] ?? "";
}
