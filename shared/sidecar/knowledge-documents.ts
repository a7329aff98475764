/** The documents of a knowledge base, typed and by kind. */
import type { Agreement, Archetype, DataSet, Party, RequestType, Step } from "#contracts";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  jobFromJson,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import type { JobJson } from "#contracts/json-documents";
import { keys } from "#domain/knowledge-keys";
import { loadSaid } from "#domain/load";
import { withPresence } from "#domain/presence";
import type { Entry } from "#ports/knowledge";

/** Each map is keyed by the document's key. */
export class KnowledgeDocuments {
  readonly agreements = new Map<string, Agreement>();
  readonly archetypes = new Map<string, Archetype>();
  readonly requestTypes = new Map<string, RequestType>();
  readonly steps = new Map<string, Step>();
  readonly dataSets = new Map<string, DataSet>();
  readonly parties = new Map<string, Party>();
  /** With the revision of the document. */
  readonly jobs = new Map<string, { readonly job: JobJson; readonly revision: number }>();
  /** The sidecars that hold their lease, by key, with the load that each says. */
  readonly online = new Map<string, number | undefined>();
  /** Revision up to which a sidecar says that it carries out what is agreed, by its key. */
  readonly applied = new Map<string, number>();

  /** @throws InvalidDocument, SyntaxError */
  put({ key, value, revision }: Entry): void {
    const json: unknown = JSON.parse(value);
    if (key.startsWith(keys.agreements)) this.agreements.set(key, agreementFromJson(json, revision));
    else if (key.startsWith(keys.archetypes)) this.archetypes.set(key, archetypeFromJson(json));
    else if (key.startsWith(keys.requestTypes)) this.requestTypes.set(key, requestTypeFromJson(json));
    else if (key.startsWith(keys.steps)) this.steps.set(key, stepFromJson(json));
    else if (key.startsWith(keys.dataSets)) this.dataSets.set(key, dataSetFromJson(json));
    else if (key.startsWith(keys.parties)) this.parties.set(key, partyFromJson(json));
    else if (key.startsWith(keys.jobs)) this.jobs.set(key, { job: jobFromJson(json), revision });
    else if (key.startsWith(keys.online)) this.online.set(key, loadSaid(json));
    else if (key.startsWith(keys.applied)) this.applied.set(key, Number(json));
  }

  delete(key: string): void {
    for (const documents of [
      this.agreements,
      this.archetypes,
      this.requestTypes,
      this.steps,
      this.dataSets,
      this.parties,
      this.jobs,
      this.online,
      this.applied,
    ]) {
      documents.delete(key);
    }
  }

  partiesWithPresence(): Party[] {
    const sidecars = [...this.online].map(([key, load]) => ({ party: partyOfOnlineKey(key), load }));
    return withPresence([...this.parties.values()], sidecars);
  }
}

/** Of a key of a sidecar that is online. */
export function partyOfOnlineKey(key: string): string {
  return key.slice(keys.online.length).split("/")[0] ?? "";
}
