/** What policy decides from, as it is at one revision of the knowledge base. */
import type { Knowledge, Query, Usage } from "#contracts";
import { InvalidDocument } from "#contracts/documents";
import { keys, partyOfOnline } from "#domain/knowledge-keys";
import { loadSaid } from "#domain/load";
import { type PolicyDocument, type PolicyDocuments, type PolicyKind, policyDocument } from "#domain/policy-document";
import { type PresentSidecar, withPresence } from "#domain/presence";
import type { Entry } from "#ports/knowledge";
import { periodStartOf, type SidecarApi, usageKey, usedSince } from "#sidecar/client";

export interface Snapshot {
  readonly knowledge: Knowledge;
  /** Of the store: everything in here is as it was then. */
  readonly revision: number;
  /** Of the query's user, at each provider asked: how many queries of the current period came before. */
  usageOf(query: Query, nowMs: number): Usage[];
}

/** @returns reads them; what has not changed since the last time is not parsed again */
export function policySnapshots(api: Pick<SidecarApi, "list">): () => Promise<Snapshot> {
  let parsed = new Map<string, { revision: number; document: PolicyDocument | undefined }>();

  return async () => {
    const { entries, revision } = await api.list("/");
    const before = parsed;
    parsed = new Map(
      entries.map((entry) => {
        const known = before.get(entry.key);
        const isSame = known?.revision === entry.revision;
        return [entry.key, isSame ? known : { revision: entry.revision, document: parse(entry) }];
      }),
    );
    const documents = [...parsed.values()].flatMap(({ document }) => document ?? []);
    const knowledge = knowledgeOf(documents, entries.flatMap(sidecarIn));
    const used = new Map(entries.filter(({ key }) => key.startsWith(keys.usage)).map(({ key, value }) => [key, value]));
    return { revision, knowledge, usageOf: (query, nowMs) => usageIn(used, knowledge, { query, nowMs }) };
  };
}

function usageIn(
  used: ReadonlyMap<string, string>,
  { agreements }: Knowledge,
  { query, nowMs }: { query: Query; nowMs: number },
): Usage[] {
  const user = query.user?.name ?? "";
  return agreements.flatMap(({ name, relations }) => {
    const quota = Object.hasOwn(relations, user) ? relations[user]?.queriesPerPeriod : undefined;
    if (quota === undefined || !query.providers.includes(name)) return [];
    const ids = usedSince(periodStartOf(nowMs, quota.periodMs), used.get(usageKey(name, user)));
    return [{ provider: name, queries: ids.length }];
  });
}

function knowledgeOf(documents: readonly PolicyDocument[], sidecars: readonly PresentSidecar[]): Knowledge {
  const all = <Kind extends PolicyKind>(kind: Kind) =>
    documents.filter((one) => one.kind === kind).map(({ value }) => value as PolicyDocuments[Kind]);
  return {
    agreements: all("agreements"),
    archetypes: all("archetypes"),
    requestTypes: all("requestTypes"),
    steps: all("steps"),
    dataSets: all("dataSets"),
    parties: withPresence(all("parties"), sidecars),
    usage: [],
  };
}

function sidecarIn({ key, value }: Entry): PresentSidecar[] {
  if (!key.startsWith(keys.online)) return [];
  try {
    return [{ party: partyOfOnline(key), load: loadSaid(JSON.parse(value)) }];
  } catch {
    return [];
  }
}

/** As the sidecars do: what can't be read counts as absent. */
function parse({ key, value, revision }: Entry): PolicyDocument | undefined {
  try {
    return policyDocument(key, value, revision);
  } catch (error) {
    if (!(error instanceof InvalidDocument || error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
