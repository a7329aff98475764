/**
 * What existing connectors between RabbitMQ and OpenFaaS were seen to do wrong, as what must hold
 * instead: the part of it that is the sidecar's, over a gateway that answers as told. The
 * broker's part is in testing/broker-contract.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { createOpenfaasInvoker } from "#adapters/openfaas/invoker";
import { systemClock } from "#adapters/system/clock";
import { Envelope, ErrorCode, Outcome, Reply } from "#contracts";
import { limits } from "#domain/limits";
import { forwardResult } from "#domain/outcome";
import { hopId } from "#domain/route";
import { DynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import { testApprovalKeys } from "#testing/approval-keys";
import { madeDocuments, madeEnvelope } from "#testing/made-chain";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { type Sidecar, startSidecar } from "./start-sidecar.ts";

type Answer = (response: ServerResponse) => void;

const outcome = Outcome.encode(
  forwardResult({ table: undefined, chart: undefined, document: { mediaType: "text/plain", body: Buffer.from("ok") } }),
).finish();
const answers: Answer = (response) => response.setHeader("content-type", "application/x-protobuf").end(outcome);
const accepts: Answer = (response) => response.writeHead(202).end();
const fails: Answer = (response) => response.writeHead(500).end("out of order");
const concurrency = 8;

let functions: Record<string, Answer>;
let calls: string[];
let bodies: Buffer[];
/** Of a function, where it is not its step's. */
let topics: Record<string, string>;
let isListing: boolean;
let lists: number;
/** Replies that the broker does not confirm. */
let unconfirmed: number;
let gateway: Server;
let exchange: Broker;
let uva: Broker;
let sidecar: Sidecar;
let replies: Reply[];

function serve({ url = "", method }: IncomingMessage, response: ServerResponse): void {
  if (url === "/system/functions") {
    lists += 1;
    if (!isListing) return void response.writeHead(503).end("no provider");
    const deployed = Object.keys(functions).map((step) => ({
      name: `uva-${step}`,
      annotations: { topic: topics[step] ?? `uva.${step}`, "com.dynamos.concurrency": String(concurrency) },
    }));
    response.setHeader("content-type", "application/json").end(JSON.stringify(deployed));
    return;
  }
  const step = url.replace("/function/uva-", "");
  calls.push(step);
  const answer = functions[step];
  if (method !== "POST" || answer === undefined) response.writeHead(404).end(`error finding function ${step}`);
  else answer(response);
}

beforeEach(async () => {
  functions = { first: answers, second: answers };
  calls = [];
  bodies = [];
  topics = {};
  isListing = true;
  lists = 0;
  unconfirmed = 0;
  replies = [];
  gateway = createServer((request, response) => {
    const parts: Buffer[] = [];
    request
      .on("data", (part) => parts.push(part))
      .once("end", () => {
        if (request.method === "POST") bodies.push(Buffer.concat(parts));
        serve(request, response);
      });
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  const address = gateway.address();
  const gatewayUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const hub = createMemoryExchange();
  exchange = hub.connect({ party: "exchange" });
  uva = hub.connect({ party: "UVA" });
  await exchange.declare([{ name: "reply.exchange.1", bindings: ["reply.exchange.1"], kind: "private" }]);
  await exchange.consume("reply.exchange.1", { prefetch: 64 }, async ({ body }) => {
    replies.push(Reply.decode(body));
    return { kind: "done" };
  });
  const knowledge = createMemoryKnowledge({ clock: systemClock });
  const outputs = { first: ["second", "third"], second: [], third: [], late: [], other: [] };
  for (const { key, value } of madeDocuments("UVA", outputs)) await knowledge.put(key, JSON.stringify(value));
  sidecar = await startSidecar({
    party: "UVA",
    exchangeParty: "exchange",
    instance: "1",
    broker: {
      ...uva,
      publish: async (message) => {
        if (message.type === "reply" && unconfirmed-- > 0) {
          throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, "the broker did not confirm in time");
        }
        return uva.publish(message);
      },
    },
    knowledge,
    approvalKeys: testApprovalKeys,
    invoker: createOpenfaasInvoker({ gatewayUrl, party: "UVA", clock: systemClock }),
    clock: systemClock,
    log: createMemoryLog(),
    refreshMs: 20,
  });
});

afterEach(async () => {
  await sidecar.stop();
  await Promise.all([uva.close(), exchange.close()]);
  gateway.closeAllConnections();
  await new Promise((resolve) => gateway.close(resolve));
});

async function ask(queryId: string, steps = ["first", "second"], timeoutMs = 20_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  const envelope = madeEnvelope({ party: "UVA", queryId, steps, deadlineMs, replyTo: "reply.exchange.1" });
  await exchange.publish({
    id: hopId(queryId, envelope.chain?.id ?? "", 0, 1),
    routingKey: `uva.${steps[0]}`,
    type: "envelope",
    queryId,
    body: Envelope.encode(envelope).finish(),
    traceparent: "",
  });
}

const ends = () =>
  replies.map(({ content }) => (content?.$case === "failure" ? content.value.message : content?.$case));
const until = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });
const countOf = (step: string) => calls.filter((call) => call === step).length;

describe("what existing connectors do wrong", () => {
  it("a 202 repeated thousands of times: a function that only accepts is called once, and the asker told", async () => {
    functions.first = accepts;
    await ask("q1");
    await until(ends).toEqual(["function uva-first answered with status 202 and without an outcome"]);
    expect(calls).toEqual(["first"]);
    await until(() => takeDeadLetters(uva, 10)).toMatchObject([{ queryId: "q1", queue: "uva.first" }]);
  });

  it("a failure repeated thousands of times: a function that fails is tried a few times, with pauses, and the asker told", async () => {
    functions.first = fails;
    await ask("q1");
    await until(ends).toEqual(["function uva-first answered with status 500 and without an outcome"]);
    expect(countOf("first")).toBe(1 + limits.triesMax);
    await until(() => takeDeadLetters(uva, 10)).toMatchObject([{ queryId: "q1", tries: limits.triesMax }]);
  });

  it("the first function repeated when the second fails: only the one that failed is tried again", async () => {
    let left = 2;
    functions.second = (response) => (left-- > 0 ? fails(response) : answers(response));
    await ask("q1");
    await until(ends).toEqual(["result"]);
    expect(calls).toEqual(["first", "second", "second", "second"]);
  });

  it("a message lost when no function matches: the asker is told at once", async () => {
    await ask("q1", ["first", "third"]);
    await until(ends).toEqual(["UVA has no third function or its sidecar never came up"]);
    expect(calls).toEqual(["first"]);
  });

  it("a message lost when its function is gone: the asker is told, and the message kept", async () => {
    delete functions.first;
    await ask("q1");
    await until(ends).toHaveLength(1);
    expect(ends()).toEqual(["function uva-first is not deployed"]);
    await until(() => takeDeadLetters(uva, 10)).toMatchObject([{ queryId: "q1", queue: "uva.first" }]);
  });

  it("a message lost before the list of functions is read: it waits until its function is deployed", async () => {
    await uva.declare([{ name: "uva.late", bindings: ["uva.late"], kind: "work" }]);
    await ask("q1", ["late"]);
    functions.late = answers;
    await until(ends).toEqual(["result"]);
  });

  it("no prefetch: 300 slow messages are with the function a few at a time, and all are answered", async () => {
    let running = 0;
    let most = 0;
    functions.first = (response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        answers(response);
      }, 10);
    };
    await Promise.all(Array.from({ length: 300 }, (_, i) => ask(`q${i}`, ["first"])));
    await until(() => replies.length).toBe(300);
    expect(new Set(ends())).toEqual(new Set(["result"]));
    expect(most).toBe(concurrency);
  });

  it("a wildcard that stops the consumer: a function whose topic is a pattern gets nothing twice, and the others go on", async () => {
    topics.greedy = "uva.*";
    functions.greedy = answers;
    const listedBefore = lists;
    await until(() => lists).toBeGreaterThan(listedBefore + 2);
    await ask("q1");
    await until(ends).toEqual(["result"]);
    expect(calls).toEqual(["first", "second"]);
    await expect(exchange.consume("uva.*", { prefetch: 1 }, async () => ({ kind: "done" }))).rejects.toMatchObject({
      label: "UNROUTABLE",
    });
    // Taken off again, what is deployed beside it is served too.
    delete functions.greedy;
    functions.other = answers;
    const listedThen = lists;
    await until(() => lists).toBeGreaterThan(listedThen + 2);
    await ask("q2", ["other"]);
    await until(ends).toEqual(["result", "result"]);
  });

  it("a function that sees no id, key or header of its message: its envelope says whose it is, where it is and until when", async () => {
    await ask("q1");
    await until(ends).toEqual(["result"]);
    const seen = bodies.map((body) => Envelope.decode(body));
    expect(seen.map(({ queryId, party, step, hop }) => [queryId, party, step, hop])).toEqual([
      ["q1", "UVA", "first", 0],
      ["q1", "UVA", "second", 1],
    ]);
    expect(seen[0]?.deadlineMs).toBeGreaterThan(Date.now());
    expect(seen[1]?.deadlineMs).toBe(seen[0]?.deadlineMs);
  });

  it("a time limit that is documented and not read: a call ends with its query's time, not after a fixed one", async () => {
    functions.first = () => {};
    await ask("q1", ["first"], 1_000);
    await until(ends).toHaveLength(1);
    expect(replies[0]?.content).toMatchObject({ value: { code: ErrorCode.DEADLINE_EXCEEDED, step: "first" } });
    expect(calls).toEqual(["first"]);
  });

  it("a connector that ends while its gateway is away: what it knew is served, and what came meanwhile once it is back", async () => {
    isListing = false;
    functions.late = answers;
    const listedBefore = lists;
    await until(() => lists).toBeGreaterThan(listedBefore + 2);
    await ask("q1");
    await until(ends).toEqual(["result"]);
    isListing = true;
    const listedThen = lists;
    await until(() => lists).toBeGreaterThan(listedThen + 2);
    await ask("q2", ["late"]);
    await until(ends).toEqual(["result", "result"]);
  });

  it("an answer dropped because sending it on failed once: it is sent again", async () => {
    unconfirmed = 1;
    await ask("q1", ["first"]);
    await until(ends).toEqual(["result"]);
    expect(await takeDeadLetters(uva, 10)).toEqual([]);
  });
});
