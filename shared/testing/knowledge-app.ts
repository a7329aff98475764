/** The orchestrator's API of documents and policy behind a caller of the test's choice, over an embedded knowledge base. */
import { type Context, Hono } from "hono";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { systemClock } from "#adapters/system/clock";
import { InvalidDocument } from "#contracts/documents";
import type { Knowledge } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";
import { type BodyReader, createBodyReader } from "../../functions/orchestrator/body-reader.ts";
import type { Caller, CallerEnv } from "../../functions/orchestrator/caller.ts";
import { problemOf, problemResponse } from "../../functions/orchestrator/problem.ts";
import { invalidDocumentResponse } from "../../functions/orchestrator/queries-api.ts";
import { answeringSidecar } from "./answering-sidecar.ts";

export interface KnowledgeApp {
  readonly knowledge: Knowledge;
  readonly api: SidecarApi;
  /** Who asks from now on. */
  caller: Caller;
  /** @param content an object is sent as JSON, a text as it is */
  send(method: string, path: string, content?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

const bodiesAtOnceMax = 100;

/** @param knowledge absent: an empty one of its own */
export function openKnowledgeApp(
  routesOf: (api: SidecarApi, bodies: BodyReader, exchangeParty: string) => Hono<CallerEnv>,
  caller: Caller,
  knowledge: Knowledge = createMemoryKnowledge({ clock: systemClock }),
): KnowledgeApp {
  const api: SidecarApi = {
    ...answeringSidecar(),
    get: (key) => knowledge.get(key),
    list: (prefix) => knowledge.list(prefix),
    put: (key, value, options) => knowledge.put(key, value, options),
    delete: (key, options) => knowledge.delete(key, options),
  };
  const hono = new Hono<CallerEnv>();
  const app: KnowledgeApp = {
    knowledge,
    api,
    caller,
    send: async (method, path, content, headers = {}) => hono.fetch(requestOf(method, path, content, headers)),
    close: () => knowledge.close(),
  };
  hono.use("*", async (c: Context<CallerEnv>, next) => {
    c.set("caller", app.caller);
    await next();
  });
  hono.route("/", routesOf(api, createBodyReader(bodiesAtOnceMax), "exchange"));
  hono.onError((error) =>
    error instanceof InvalidDocument ? invalidDocumentResponse(error) : problemResponse(problemOf(error)),
  );
  return app;
}

function requestOf(method: string, path: string, content: unknown, headers: Readonly<Record<string, string>>): Request {
  const body = typeof content === "string" ? content : JSON.stringify(content);
  return new Request(`http://orchestrator${path}`, {
    method,
    headers: { ...(content === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(content === undefined ? {} : { body }),
  });
}
