/** What the management API of a RabbitMQ says of its queues (rabbitmq.com, "Management HTTP API": GET /api/queues/vhost). */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { QueueFigures } from "./queue-figures.ts";

const answerMsMax = 5_000;

/** @param url `http://user:password@host:15672`. @param vhost `/` where there is only one. @throws DynamosError BROKER_UNAVAILABLE */
export async function readManagedQueues(url: string, vhost: string): Promise<QueueFigures[]> {
  const { username, password, origin, pathname } = new URL(url);
  const path = `${pathname.replace(/\/$/, "")}/api/queues/${encodeURIComponent(vhost)}`;
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
  const list = await get(`${origin}${path}`, authorization);
  if (!Array.isArray(list)) throw unavailable("answered with what is not a list of queues");
  return list.map(figuresOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function get(url: string, authorization: string): Promise<unknown> {
  let status: number;
  try {
    const response = await fetch(url, { headers: { authorization }, signal: AbortSignal.timeout(answerMsMax) });
    status = response.status;
    if (response.ok) return await response.json();
    await response.body?.cancel();
  } catch (cause) {
    throw unavailable("does not answer, or not with JSON", cause);
  }
  throw unavailable(status === 401 ? "does not accept these credentials" : `answered with status ${status}`);
}

function figuresOf(queue: unknown): QueueFigures {
  const { name, messages_ready, messages_unacknowledged, consumers, message_stats, head_message_timestamp } = (queue ??
    {}) as Record<string, unknown>;
  const unacknowledged = numberOf(messages_unacknowledged);
  const seconds = numberOf(head_message_timestamp);
  return {
    name: String(name ?? ""),
    ready: numberOf(messages_ready) ?? 0,
    consumers: numberOf(consumers) ?? 0,
    // A queue where nothing was ever redelivered has no such count.
    redeliveries: numberOf((message_stats as Record<string, unknown> | undefined)?.redeliver) ?? 0,
    ...(unacknowledged === undefined ? {} : { unacknowledged }),
    ...(seconds === undefined ? {} : { oldestAtMs: seconds * 1_000 }),
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function unavailable(why: string, cause?: unknown): DynamosError {
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the broker's management API ${why}`, { cause });
}
