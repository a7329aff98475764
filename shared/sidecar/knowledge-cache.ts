/** What the knowledge base holds, kept in this process by a watch, and cut to what one envelope's step may know. */
import type { Agreement, Knowledge as Attached, Envelope } from "#contracts";
import type { JobJson } from "#contracts/json-documents";
import { appliedKeyFor, isPolicyKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Change, Knowledge, Watch } from "#ports/knowledge";
import type { Log } from "#ports/log";
import { KnowledgeDocuments } from "./knowledge-documents.ts";
import { type RepeatedLog, repeatedLog } from "./repeated-log.ts";

export interface KnowledgeCache {
  /** For one envelope at `party`: everything for the exchange's control steps, at a provider only what is its own. */
  attachedTo(envelope: Envelope): Attached;
  /** All that decides on a query of this user to these providers. */
  about(providers: readonly string[], user: string): Attached;
  /** Those that are there, with the revision up to which each carries out what is agreed. By key. */
  sidecars(): ReadonlyMap<string, number>;
  /** Jobs that have not ended, or lately did, with their revision. By key. */
  jobs(): ReadonlyMap<string, { readonly job: JobJson; readonly revision: number }>;
  /** Of the store: everything up to it is in here. */
  readonly revision: number;
  /**
   * After each change; `anyKey` after changes that were missed while the watch was lost.
   * @returns to listen no more
   */
  onChange(listener: (key: string) => void): () => void;
  close(): void;
}

export interface KnowledgeCacheOptions {
  readonly knowledge: Knowledge;
  readonly exchangeParty: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Said in place of a key when any may have changed. */
export const anyKey = "/";

export async function openKnowledgeCache(options: KnowledgeCacheOptions): Promise<KnowledgeCache> {
  const cache = new WatchedKnowledge(options);
  await cache.open();
  return cache;
}

class WatchedKnowledge implements KnowledgeCache {
  #documents = new KnowledgeDocuments();
  readonly #options: KnowledgeCacheOptions;
  readonly #listeners = new Set<(key: string) => void>();
  readonly #outage: RepeatedLog;
  #revision = 0;
  #watch: Watch | undefined;
  #isClosed = false;

  constructor(options: KnowledgeCacheOptions) {
    this.#options = options;
    this.#outage = repeatedLog(options.log, options.clock);
  }

  get revision(): number {
    return this.#revision;
  }

  async open(): Promise<void> {
    const { knowledge } = this.#options;
    const { entries, revision } = await knowledge.list("/");
    const documents = new KnowledgeDocuments();
    for (const entry of entries) this.#apply(documents, { kind: "put", entry });
    this.#documents = documents;
    this.#revision = revision;
    if (this.#isClosed) return;
    this.#watch = knowledge.watch("/", revision + 1);
    void this.#follow(this.#watch);
  }

  attachedTo(envelope: Envelope): Attached {
    const user = envelope.query?.user?.name ?? "";
    if (envelope.party === this.#options.exchangeParty) return this.about(envelope.query?.providers ?? [], user);
    return { ...this.about([envelope.party], user), parties: [], requestTypes: [], steps: [] };
  }

  about(providers: readonly string[], user: string): Attached {
    const { policy } = this.#documents;
    const isAsked = (name: string) => providers.includes(name);
    return {
      agreements: [...policy.agreements.values()]
        .filter(({ name }) => isAsked(name))
        .map((agreement) => onlyRelationOf(agreement, user)),
      dataSets: [...policy.dataSets.values()].filter(({ party }) => isAsked(party)),
      parties: this.#documents.partiesWithPresence(),
      archetypes: [...policy.archetypes.values()],
      requestTypes: [...policy.requestTypes.values()],
      steps: [...policy.steps.values()],
      usage: [],
    };
  }

  sidecars(): ReadonlyMap<string, number> {
    const { online, applied } = this.#documents;
    return new Map([...online.keys()].map((key) => [key, applied.get(appliedKeyFor(key)) ?? 0]));
  }

  jobs(): ReadonlyMap<string, { readonly job: JobJson; readonly revision: number }> {
    return this.#documents.jobs;
  }

  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
  }

  async #follow(watch: Watch): Promise<void> {
    try {
      for await (const change of watch) {
        this.#apply(this.#documents, change);
        this.#revision = change.kind === "put" ? change.entry.revision : change.revision;
        this.#tell(change.kind === "put" ? change.entry.key : change.key);
      }
    } catch (error) {
      this.#options.log.log("warn", "the watch of the knowledge base ended", { reason: toDynamosError(error).message });
    }
    if (!this.#isClosed) this.#reopenLater();
  }

  /** Until it is open again, decisions are made on what is known: it was agreed once, and the store tells nobody more. */
  #reopenLater(): void {
    this.#options.clock.after(limits.knowledgeRetryMs, () => {
      if (this.#isClosed) return;
      this.open().then(
        () => {
          this.#outage.worked();
          this.#tell(anyKey);
        },
        (error: unknown) => {
          this.#outage.warn("the knowledge base can't be listed", { reason: toDynamosError(error).message });
          this.#reopenLater();
        },
      );
    });
  }

  #tell(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }

  /** A document that can't be read counts as absent: nothing is allowed by what nobody understands. */
  #apply(documents: KnowledgeDocuments, change: Change): void {
    const key = change.kind === "put" ? change.entry.key : change.key;
    documents.delete(key);
    if (change.kind === "delete") return;
    try {
      documents.put(change.entry);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unreadable";
      this.#options.log.log("error", "a document of the knowledge base is not valid", { key, reason });
    }
  }
}

/** Whether what is under it can decide on a query. */
export function decides(key: string): boolean {
  return key === anyKey || isPolicyKey(key);
}

/** A step learns what its user may do, not who else has an agreement. */
function onlyRelationOf(agreement: Agreement, user: string): Agreement {
  const relation = Object.hasOwn(agreement.relations, user) ? agreement.relations[user] : undefined;
  return { ...agreement, relations: relation === undefined ? {} : { [user]: relation } };
}
