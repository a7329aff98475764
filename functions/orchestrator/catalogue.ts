/** What can be asked of whom, and who is there. */
import { dataSetFromJson } from "#contracts/documents";
import { keys, partyOfOnline } from "#domain/knowledge-keys";
import type { Entry } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";

export function documentOf(entry: Entry): unknown {
  return JSON.parse(entry.value);
}

export async function partiesJson(api: SidecarApi) {
  const [parties, online] = await Promise.all([api.list(keys.parties), api.list(keys.online)]);
  const here = new Set(online.entries.map(({ key }) => partyOfOnline(key)));
  return parties.entries.map((entry) => {
    const party = documentOf(entry) as { name: string };
    return { ...party, online: here.has(party.name) };
  });
}

/** File names stay at the party. */
export async function catalogueJson(api: SidecarApi) {
  const [dataSets, requestTypes, archetypes, steps] = await Promise.all(
    [keys.dataSets, keys.requestTypes, keys.archetypes, keys.steps].map(
      async (prefix) => (await api.list(prefix)).entries,
    ),
  );
  return {
    dataSets: (dataSets ?? []).map((entry) => withoutFiles(documentOf(entry))),
    requestTypes: (requestTypes ?? []).map(documentOf),
    archetypes: (archetypes ?? []).map(documentOf),
    steps: (steps ?? []).map(documentOf),
  };
}

function withoutFiles(json: unknown) {
  const { name, party, tables, measure } = dataSetFromJson(json);
  return {
    name,
    party,
    tables: tables.map((table) => ({
      name: table.name,
      columns: table.columns.map(({ name: column, type, title, unit }) => ({ name: column, type, title, unit })),
    })),
    ...(measure === undefined ? {} : { measure }),
  };
}
