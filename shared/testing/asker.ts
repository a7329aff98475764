/** What the orchestrator would answer, without HTTP and gRPC in between. */
import { randomUUID } from "node:crypto";
import type { Query } from "#contracts";
import type { Knowledge } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";
import type { Sidecar } from "#sidecar/start-sidecar";
import type { Answer } from "../../functions/orchestrator/answer.ts";
import { chooseFormat } from "../../functions/orchestrator/answer-response.ts";
import { runQuery } from "../../functions/orchestrator/run-query.ts";

/** As a client gets it. */
export interface AskedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export type AskedQuery = Partial<Query> & Pick<Query, "sql" | "providers">;

export interface AskOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The party that hosts the control steps. */
export const exchangeParty = "exchange";

export async function askOver(api: SidecarApi, query: AskedQuery, options?: AskOptions): Promise<AskedAnswer> {
  return asked(await answerOver(api, query, options), api);
}

/** Before it is bytes of some format. Its transfers stay until `dropAnswer`. */
export function answerOver(
  api: SidecarApi,
  query: AskedQuery,
  { timeoutMs = 20_000, signal = new AbortController().signal }: AskOptions = {},
): Promise<Answer> {
  return runQuery({
    api,
    exchangeParty,
    query: completed(query),
    deadlineMs: Date.now() + timeoutMs,
    traceparent: "",
    signal,
    onProgress: () => {},
  });
}

export async function dropAnswer({ results }: Answer, api: SidecarApi): Promise<void> {
  const names = results.flatMap(({ result }) => result.table?.transfer?.name ?? []);
  await Promise.all(names.map((name) => api.dropTransfer(name)));
}

function completed(query: AskedQuery): Query {
  return {
    id: randomUUID(),
    requestType: "sqlDataRequest",
    user: { id: "", name: "researcher@example.org" },
    dataSets: [],
    algorithm: undefined,
    options: {},
    purpose: "",
    reuse: undefined,
    ...query,
  };
}

async function asked(answer: Answer, api: SidecarApi): Promise<AskedAnswer> {
  const { status, problem } = answer;
  if (problem !== undefined) return { status, contentType: "application/problem+json", body: problem };
  const { format, bytes } = chooseFormat(answer, { accept: undefined, party: undefined }, api);
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes(new AbortController().signal)) pieces.push(piece);
  await dropAnswer(answer, api);
  return { status, contentType: format.mediaType, body: JSON.parse(Buffer.concat(pieces).toString()) };
}

/** The sidecar's API without gRPC in between. */
export function apiOf(sidecar: Sidecar, knowledge: Knowledge): SidecarApi {
  return {
    request: (envelope, signal) => sidecar.request(envelope, signal),
    cancel: (queryId) => sidecar.cancel(queryId),
    readTransfer: (name, signal) => sidecar.transfers.read(name, signal),
    writeTransfer: async ({ chunks, ...transfer }) => {
      const writer = await sidecar.transfers.open({ from: sidecar.party, to: sidecar.party, ...transfer });
      for (const chunk of chunks) await writer.write(chunk);
      await writer.end();
    },
    renewTransfer: (name) => sidecar.transfers.renew(name),
    dropTransfer: (name) => sidecar.transfers.drop(name),
    recordReuse: (query, plan) => sidecar.recordReuse(query, plan),
    readRecords: (queryId) => sidecar.readRecords(queryId),
    applied: (revision, waitMs) => sidecar.applied(revision, waitMs),
    get: (key) => knowledge.get(key),
    list: (prefix) => knowledge.list(prefix),
    put: (key, value, options) => knowledge.put(key, value, options),
    delete: (key, options) => knowledge.delete(key, options),
    isReady: async () => true,
    close: () => {},
  };
}
