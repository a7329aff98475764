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

export async function askOver(
  api: SidecarApi,
  query: AskedQuery,
  { timeoutMs = 20_000, signal = new AbortController().signal }: AskOptions = {},
): Promise<AskedAnswer> {
  const answer = await runQuery({
    api,
    exchangeParty,
    query: completed(query),
    deadlineMs: Date.now() + timeoutMs,
    traceparent: "",
    signal,
    onProgress: () => {},
  });
  return asked(answer, api);
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
    ...query,
  };
}

async function asked(answer: Answer, api: SidecarApi): Promise<AskedAnswer> {
  const { status, problem, results } = answer;
  if (problem !== undefined) return { status, contentType: "application/problem+json", body: problem };
  const { format, bytes } = chooseFormat(answer, { accept: undefined, party: undefined }, api);
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes(new AbortController().signal)) pieces.push(piece);
  const names = results.flatMap(({ result }) => result.table?.transfer?.name ?? []);
  await Promise.all(names.map((name) => api.dropTransfer(name)));
  return { status, contentType: format.mediaType, body: JSON.parse(Buffer.concat(pieces).toString()) };
}

/** The sidecar's API without gRPC in between. */
export function apiOf(sidecar: Sidecar, knowledge: Knowledge): SidecarApi {
  return {
    request: (envelope, signal) => sidecar.request(envelope, signal),
    cancel: (queryId) => sidecar.cancel(queryId),
    readTransfer: (name, signal) => sidecar.transfers.read(name, signal),
    dropTransfer: (name) => sidecar.transfers.drop(name),
    get: (key) => knowledge.get(key),
    list: async (prefix) => (await knowledge.list(prefix)).entries,
    put: (key, value, ifRevision) => knowledge.put(key, value, ifRevision === undefined ? {} : { ifRevision }),
    isReady: async () => true,
    close: () => {},
  };
}
