/** Reads the configuration files of the original DYNAMOS, so that its users keep theirs. */
import type {
  AgreementJson,
  ArchetypeJson,
  ColumnJson,
  DataSetJson,
  PartyJson,
  RequestTypeJson,
  StepJson,
} from "#contracts/json-documents";
import { compareNames, sortedNames } from "./by-name.ts";
import { agreementKey, archetypeKey, dataSetKey, partyKey, requestTypeKey, stepKey } from "./knowledge-keys.ts";

/** A document for the knowledge base. Not yet checked against its schema: what the files say is passed on. */
export interface ImportedDocument {
  readonly key: string;
  readonly value: AgreementJson | ArchetypeJson | DataSetJson | PartyJson | RequestTypeJson | StepJson;
}

interface OriginalRequestType {
  name: string;
  requiredServices?: string[] | null;
  optionalServices?: Record<string, string> | null;
}

interface OriginalDataSet {
  name: string;
  type: "csv";
  delimiter?: string;
  tables: string[];
}

interface OriginalDemand {
  data_steward: string;
  types: Record<string, string[]>;
}

/** The party that hosts the control steps; the original has it outside its configuration. */
const exchangeParty = "exchange";

/** What the original's sql-anonymize has in its code: which columns it cuts to the year. */
const cutToYear: Readonly<Record<string, readonly string[]>> = { Personen: ["Gebdat"], Aanstellingen: ["Ingdatdv"] };

/** What the original's sql-algorithm has in its code: the mean of the one, by the other. */
const wageGapMeasure = { tables: ["Personen", "Aanstellingen"], column: "Salschal", groupBy: ["Geslacht"] };

/**
 * @param files parsed JSON by file name (`agreements.json`, …); what is missing counts as empty
 * @param dataFiles plain names (`Personen_UVA.csv`, …); only those of parties with an agreement count
 * @returns sorted by key
 */
export function importOriginal(
  files: Readonly<Record<string, unknown>>,
  dataFiles: readonly string[],
): ImportedDocument[] {
  const agreements = listIn<AgreementJson>(files, "agreements.json");
  const stewards = sortedNames(agreements.map(({ name }) => name));
  const demands = listIn<OriginalDemand>(files, "optional_microservices.json");
  const dataSets = listIn<OriginalDataSet>(files, "datasets.json").flatMap((dataSet) =>
    stewards.flatMap((party) => dataSetAt(party, dataSet, dataFiles)),
  );
  return [
    ...agreements.map((one) => ({ key: agreementKey(one.name), value: withDemands(one, demands) })),
    ...listIn<ArchetypeJson>(files, "archetype.json").map((one) => ({
      key: archetypeKey(one.name),
      value: archetypeOf(one),
    })),
    ...listIn<OriginalRequestType>(files, "requestType.json").map((one) => ({
      key: requestTypeKey(one.name),
      value: requestTypeOf(one),
    })),
    ...listIn<StepJson>(files, "microservices.json").map((one) => ({ key: stepKey(one.name), value: stepOf(one) })),
    ...dataSets.map((one) => ({ key: dataSetKey(one.party, one.name), value: one })),
    ...partiesOf(agreements, dataSets).map((one) => ({ key: partyKey(one.name), value: one })),
  ].sort((a, b) => compareNames(a.key, b.key));
}

function listIn<Item>(files: Readonly<Record<string, unknown>>, name: string): Item[] {
  const content = files[name];
  return Array.isArray(content) ? content.filter((item) => typeof item === "object" && item !== null) : [];
}

/** The original reads these demands and never applies them; here they are part of the agreement. */
function withDemands(agreement: AgreementJson, demands: readonly OriginalDemand[]): AgreementJson {
  const own = demands
    .filter((demand) => demand.data_steward === agreement.name)
    .flatMap(({ types }) => Object.entries(types));
  return own.length === 0 ? agreement : { ...agreement, demandedSteps: Object.fromEntries(own) };
}

/** As the original: only `other` is a third party. */
function archetypeOf(archetype: ArchetypeJson): ArchetypeJson {
  return { ...archetype, computeProvider: archetype.computeProvider === "other" ? "other" : "dataProvider" };
}

function requestTypeOf({ name, requiredServices, optionalServices }: OriginalRequestType): RequestTypeJson {
  return { name, requiredSteps: requiredServices ?? [], optionalSteps: optionalServices ?? {} };
}

function stepOf({ name, label, allowedOutputs, invalidArchetypes }: StepJson): StepJson {
  return { name, label, allowedOutputs: allowedOutputs ?? [], invalidArchetypes: invalidArchetypes ?? [] };
}

/** The tables that are there for this party; nothing when there is none. */
function dataSetAt(party: string, dataSet: OriginalDataSet, dataFiles: readonly string[]): DataSetJson[] {
  const tables = sortedNames(dataSet.tables)
    .map((name) => ({ name, file: `${name}_${party}.${dataSet.type}` }))
    .filter(({ file }) => dataFiles.includes(file))
    .map((table) => ({ ...table, columns: columnsOf(table.name) }));
  if (tables.length === 0) {
    return [];
  }
  const measured = wageGapMeasure.tables.every((name) => dataSet.tables.includes(name));
  return [
    {
      name: dataSet.name,
      party,
      type: dataSet.type,
      ...(dataSet.delimiter === undefined ? {} : { delimiter: dataSet.delimiter }),
      tables,
      ...(measured ? { measure: { column: wageGapMeasure.column, groupBy: wageGapMeasure.groupBy } } : {}),
    },
  ];
}

function columnsOf(table: string): ColumnJson[] {
  const cut = Object.hasOwn(cutToYear, table) ? cutToYear[table] : undefined;
  return (cut ?? []).map((name) => ({ name, anonymize: "year" }));
}

/** Stewards with data, the third parties that agreements name, and the exchange. */
function partiesOf(agreements: readonly AgreementJson[], dataSets: readonly DataSetJson[]): PartyJson[] {
  const providers = new Set(dataSets.map(({ party }) => party));
  const thirdParties = new Set(
    agreements.flatMap(({ computeProviders, relations }) => [
      ...(computeProviders ?? []),
      ...Object.values(relations ?? {}).flatMap((relation) => relation.allowedComputeProviders ?? []),
    ]),
  );
  return sortedNames([exchangeParty, ...providers, ...thirdParties]).map((name) => ({
    name,
    roles: [
      ...(name === exchangeParty ? (["exchange"] as const) : []),
      ...(providers.has(name) ? (["dataProvider"] as const) : []),
      ...(thirdParties.has(name) ? (["computeProvider"] as const) : []),
    ],
  }));
}
