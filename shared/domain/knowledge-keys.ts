/** Keys of the knowledge base: the only place that spells them. Values are JSON documents (contracts/schema). */
export const keys = {
  agreements: "/agreements/",
  archetypes: "/archetypes/",
  requestTypes: "/requestTypes/",
  steps: "/steps/",
  dataSets: "/dataSets/",
  parties: "/parties/",
  online: "/online/",
  applied: "/applied/",
  usage: "/usage/",
  jobs: "/jobs/",
} as const;

export const agreementKey = (steward: string) => `${keys.agreements}${steward}`;
export const archetypeKey = (name: string) => `${keys.archetypes}${name}`;
export const requestTypeKey = (name: string) => `${keys.requestTypes}${name}`;
export const stepKey = (name: string) => `${keys.steps}${name}`;
/** A data set belongs to a party: two parties may each have one of the same name. */
export const dataSetKey = (party: string, name: string) => `${keys.dataSets}${party}/${name}`;
export const partyKey = (name: string) => `${keys.parties}${name}`;
/** Held by a party's sidecar under a lease. */
export const onlineKey = (party: string, instance: string) => `${keys.online}${party}/${instance}`;
/** The party of such a key. */
export const partyOfOnline = (key: string) => key.slice(keys.online.length).split("/")[0] ?? "";
/** How far that sidecar has come: it carries out what is agreed up to this revision of the store. */
export const appliedKey = (party: string, instance: string) => `${keys.applied}${party}/${instance}`;
/** The same for the sidecar that holds an online key. */
export const appliedKeyFor = (onlineKey: string) => `${keys.applied}${onlineKey.slice(keys.online.length)}`;
export const jobKey = (id: string) => `${keys.jobs}${id}`;

const policyPrefixes = [keys.agreements, keys.archetypes, keys.requestTypes, keys.steps, keys.dataSets, keys.parties];

/** Whether a document of this key can decide on a query. */
export function isPolicyKey(key: string): boolean {
  return policyPrefixes.some((prefix) => key.startsWith(prefix));
}

/** Every version that a document had: ends in `/`. Beside the documents, as sidecars list and watch those. */
export const historyPrefix = (key: string) => `~history${key}/`;
/** @param version names that sort by time */
export const historyKey = (key: string, version: string) => `${historyPrefix(key)}${version}`;
/** Changed by each creation and each deletion of a document: what was deleted is not created again unseen. */
export const existenceKey = (key: string) => `~existence${key}`;
