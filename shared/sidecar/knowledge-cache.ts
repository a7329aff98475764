/** What the knowledge base holds, kept in this process by a watch, and cut to what one envelope's step may know. */
import type {
  Agreement,
  Archetype,
  Knowledge as Attached,
  DataSet,
  Envelope,
  Party,
  RequestType,
  Step,
} from "#contracts";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { keys } from "#domain/knowledge-keys";
import { toDynamosError } from "#errors";
import type { Change, Entry, Knowledge, Watch } from "#ports/knowledge";
import type { Log } from "#ports/log";

export interface KnowledgeCache {
  /** For one envelope at `party`: everything for the exchange's control steps, at a provider only what is its own. */
  attachedTo(envelope: Envelope): Attached;
  party(name: string): Party | undefined;
  close(): void;
}

/** Typed documents by kind; each map is keyed by the document's key. */
class Documents {
  readonly agreements = new Map<string, Agreement>();
  readonly archetypes = new Map<string, Archetype>();
  readonly requestTypes = new Map<string, RequestType>();
  readonly steps = new Map<string, Step>();
  readonly dataSets = new Map<string, DataSet>();
  readonly parties = new Map<string, Party>();
  /** Keys of the sidecars that hold their lease. */
  readonly online = new Set<string>();

  put({ key, value, revision }: Entry): void {
    const json: unknown = JSON.parse(value);
    if (key.startsWith(keys.agreements)) this.agreements.set(key, agreementFromJson(json, revision));
    else if (key.startsWith(keys.archetypes)) this.archetypes.set(key, archetypeFromJson(json));
    else if (key.startsWith(keys.requestTypes)) this.requestTypes.set(key, requestTypeFromJson(json));
    else if (key.startsWith(keys.steps)) this.steps.set(key, stepFromJson(json));
    else if (key.startsWith(keys.dataSets)) this.dataSets.set(key, dataSetFromJson(json));
    else if (key.startsWith(keys.parties)) this.parties.set(key, partyFromJson(json));
    else if (key.startsWith(keys.online)) this.online.add(key);
  }

  delete(key: string): void {
    for (const documents of [
      this.agreements,
      this.archetypes,
      this.requestTypes,
      this.steps,
      this.dataSets,
      this.parties,
    ]) {
      documents.delete(key);
    }
    this.online.delete(key);
  }

  withPresence(party: Party): Party {
    const prefix = `${keys.online}${party.name}/`;
    return { ...party, online: [...this.online].some((key) => key.startsWith(prefix)) };
  }
}

export async function openKnowledgeCache(
  knowledge: Knowledge,
  exchangeParty: string,
  log: Log,
): Promise<KnowledgeCache> {
  const documents = new Documents();
  const { entries, revision } = await knowledge.list("/");
  for (const entry of entries) {
    apply(documents, { kind: "put", entry }, log);
  }
  const watch = knowledge.watch("/", revision + 1);
  void follow(watch, documents, log);
  return {
    attachedTo: (envelope) => cut(documents, envelope, exchangeParty),
    party: (name) => {
      const found = [...documents.parties.values()].find((party) => party.name === name);
      return found && documents.withPresence(found);
    },
    close: () => watch.close(),
  };
}

async function follow(watch: Watch, documents: Documents, log: Log): Promise<void> {
  try {
    for await (const change of watch) {
      apply(documents, change, log);
    }
  } catch (error) {
    log.log("error", "the watch of the knowledge base ended", { reason: toDynamosError(error).message });
  }
}

/** A document that can't be read counts as absent: nothing is allowed by what nobody understands. */
function apply(documents: Documents, change: Change, log: Log): void {
  const key = change.kind === "put" ? change.entry.key : change.key;
  documents.delete(key);
  if (change.kind === "put") {
    try {
      documents.put(change.entry);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unreadable";
      log.log("error", "a document of the knowledge base is not valid", { key, reason });
    }
  }
}

function cut(documents: Documents, envelope: Envelope, exchangeParty: string): Attached {
  const own = envelope.party === exchangeParty ? undefined : envelope.party;
  const user = envelope.query?.user?.name ?? "";
  const all = <T>(map: Map<string, T>) => [...map.values()];
  return {
    agreements: all(documents.agreements)
      .filter((agreement) => (own === undefined ? isAsked(envelope, agreement.name) : agreement.name === own))
      .map((agreement) => onlyRelationOf(agreement, user)),
    dataSets: all(documents.dataSets).filter((dataSet) =>
      own === undefined ? isAsked(envelope, dataSet.party) : dataSet.party === own,
    ),
    parties: own === undefined ? all(documents.parties).map((party) => documents.withPresence(party)) : [],
    archetypes: own === undefined ? all(documents.archetypes) : [],
    requestTypes: own === undefined ? all(documents.requestTypes) : [],
    steps: own === undefined ? all(documents.steps) : [],
    usage: [],
  };
}

function isAsked(envelope: Envelope, provider: string): boolean {
  return envelope.query?.providers.includes(provider) ?? false;
}

/** A step learns what its user may do, not who else has an agreement. */
function onlyRelationOf(agreement: Agreement, user: string): Agreement {
  const relation = Object.hasOwn(agreement.relations, user) ? agreement.relations[user] : undefined;
  return { ...agreement, relations: relation === undefined ? {} : { [user]: relation } };
}
