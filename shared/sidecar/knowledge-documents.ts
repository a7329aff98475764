/** The documents of a knowledge base, typed and by kind. */

import type { Party } from "#contracts";
import { jobFromJson } from "#contracts/documents";
import type { JobJson } from "#contracts/json-documents";
import { keys, partyOfOnline } from "#domain/knowledge-keys";
import { loadSaid } from "#domain/load";
import { type PolicyDocuments, type PolicyKind, policyDocument } from "#domain/policy-document";
import { withPresence } from "#domain/presence";
import type { Entry } from "#ports/knowledge";

/** Each map is keyed by the document's key. */
export class KnowledgeDocuments {
  readonly policy: { readonly [Kind in PolicyKind]: Map<string, PolicyDocuments[Kind]> } = {
    agreements: new Map(),
    archetypes: new Map(),
    requestTypes: new Map(),
    steps: new Map(),
    dataSets: new Map(),
    parties: new Map(),
  };
  /** With the revision of the document. */
  readonly jobs = new Map<string, { readonly job: JobJson; readonly revision: number }>();
  /** The sidecars that hold their lease, by key, with the load that each says. */
  readonly online = new Map<string, number | undefined>();
  /** Revision up to which a sidecar says that it carries out what is agreed, by its key. */
  readonly applied = new Map<string, number>();

  /** @throws InvalidDocument, SyntaxError */
  put({ key, value, revision }: Entry): void {
    const document = policyDocument(key, value, revision);
    if (document !== undefined) (this.policy[document.kind] as Map<string, unknown>).set(key, document.value);
    else if (key.startsWith(keys.jobs)) this.jobs.set(key, { job: jobFromJson(JSON.parse(value)), revision });
    else if (key.startsWith(keys.online)) this.online.set(key, loadSaid(JSON.parse(value)));
    else if (key.startsWith(keys.applied)) this.applied.set(key, Number(JSON.parse(value)));
  }

  delete(key: string): void {
    for (const documents of [...Object.values(this.policy), this.jobs, this.online, this.applied]) {
      documents.delete(key);
    }
  }

  partiesWithPresence(): Party[] {
    const sidecars = [...this.online].map(([key, load]) => ({ party: partyOfOnline(key), load }));
    return withPresence([...this.policy.parties.values()], sidecars);
  }
}
