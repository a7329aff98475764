/** What the demo's parties know and have agreed. */
import { agreementKey, archetypeKey, partyKey, requestTypeKey, stepKey } from "#domain/knowledge-keys";
import { defaultDataSet, type SeedDocument } from "../system/seed.ts";

export const demoUser = "researcher@example.org";

const relation = {
  requestTypes: ["sqlDataRequest"],
  dataSets: [defaultDataSet],
  allowedArchetypes: ["computeToData", "dataThroughTtp"],
  allowedComputeProviders: ["SURF"],
};

const agreements = [
  {
    name: "UVA",
    relations: { [demoUser]: relation },
    computeProviders: ["SURF"],
    archetypes: ["computeToData", "dataThroughTtp"],
    demandedSteps: { sqlDataRequest: ["sql-anonymize"] },
  },
  {
    name: "VU",
    relations: { [demoUser]: relation },
    computeProviders: ["SURF"],
    archetypes: ["computeToData", "dataThroughTtp"],
  },
  { name: "RUG", relations: {} },
];

const archetypes = [
  { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor", weight: 100 },
  { name: "dataThroughTtp", computeProvider: "other", resultRecipient: "requestor", weight: 200 },
];

const requestTypes = [
  {
    name: "sqlDataRequest",
    requiredSteps: ["sql-query", "sql-algorithm"],
    optionalSteps: { "sql-anonymize": "anonymize", "sql-graph": "graph", "sql-aggregate": "aggregate" },
  },
];

const steps = [
  { name: "sql-query", label: "dataProvider", allowedOutputs: ["sql-aggregate", "sql-algorithm", "sql-anonymize"] },
  { name: "sql-anonymize", label: "dataProvider", allowedOutputs: ["sql-aggregate", "sql-algorithm"] },
  {
    name: "sql-aggregate",
    label: "computeProvider",
    allowedOutputs: ["sql-algorithm"],
    invalidArchetypes: ["computeToData"],
  },
  { name: "sql-algorithm", label: "computeProvider", allowedOutputs: ["sql-graph"] },
  { name: "sql-graph", label: "computeProvider", allowedOutputs: [] },
];

const parties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
  { name: "VU", roles: ["dataProvider"] },
  { name: "RUG", roles: ["dataProvider"] },
  { name: "SURF", roles: ["computeProvider"] },
];

/** Data sets come with the data: see shared/data/demo. */
export const demoDocuments: readonly SeedDocument[] = [
  ...agreements.map((value) => ({ key: agreementKey(value.name), value })),
  ...archetypes.map((value) => ({ key: archetypeKey(value.name), value })),
  ...requestTypes.map((value) => ({ key: requestTypeKey(value.name), value })),
  ...steps.map((value) => ({ key: stepKey(value.name), value })),
  ...parties.map((value) => ({ key: partyKey(value.name), value })),
];
