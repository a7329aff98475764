/** What the parties of the original's example know together, with every field open to change. */
import { type Algorithm, Knowledge, Query, type Relation, type User } from "#contracts";

export const researcher = "researcher@example.org";

export function wageGapKnowledge(): Knowledge {
  return Knowledge.fromPartial({
    agreements: [
      agreementOf("UVA", { sqlDataRequest: { names: ["sql-anonymize"] } }),
      agreementOf("VU", {}),
      { name: "RUG", revision: 3 },
    ],
    parties: [
      { name: "exchange", roles: ["exchange"], online: true },
      { name: "UVA", roles: ["dataProvider"], online: true },
      { name: "VU", roles: ["dataProvider"], online: true },
      { name: "SURF", roles: ["computeProvider"], online: true },
      { name: "otherCompany", roles: ["computeProvider"], online: true },
    ],
    archetypes: [
      { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor", weight: 100 },
      { name: "dataThroughTtp", computeProvider: "other", resultRecipient: "requestor", weight: 200 },
    ],
    requestTypes: [
      {
        name: "sqlDataRequest",
        requiredSteps: ["sql-query", "sql-algorithm"],
        optionalSteps: { "sql-anonymize": "anonymize", "sql-graph": "graph", "sql-aggregate": "aggregate" },
      },
      { name: "genericRequest", requiredSteps: [], optionalSteps: {} },
    ],
    steps: [
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
    ],
    dataSets: ["UVA", "VU"].map((party) => ({
      name: "wageGap",
      party,
      type: "csv",
      delimiter: ";",
      tables: ["Aanstellingen", "Personen"].map((name) => ({ name, file: `${name}_${party}.csv` })),
      measure: { column: "Salschal", groupBy: ["Geslacht"] },
    })),
  });
}

export type QueryChange = Partial<Omit<Query, "user" | "algorithm">> & {
  user?: Partial<User>;
  algorithm?: Partial<Algorithm>;
};

export function wageGapQuery(change: QueryChange = {}): Query {
  return Query.fromPartial({
    id: "q1",
    requestType: "sqlDataRequest",
    user: { id: "12324", name: researcher },
    providers: ["UVA", "VU"],
    sql: "SELECT 1",
    ...change,
  });
}

/** Changes the researcher's relation at a steward, in place. */
export function changeRelation(knowledge: Knowledge, steward: string, change: Partial<Relation>): void {
  const relation = knowledge.agreements.find(({ name }) => name === steward)?.relations[researcher];
  if (relation === undefined) {
    throw new RangeError(`${steward} has no relation to change`);
  }
  Object.assign(relation, change);
}

export function setOnline(knowledge: Knowledge, party: string, online: boolean): void {
  for (const one of knowledge.parties.filter(({ name }) => name === party)) {
    one.online = online;
  }
}

function agreementOf(name: string, demandedSteps: Record<string, { names: string[] }>) {
  return {
    name,
    relations: {
      [researcher]: {
        id: "GUID",
        requestTypes: ["sqlDataRequest", "genericRequest"],
        dataSets: ["wageGap"],
        allowedArchetypes: ["computeToData", "dataThroughTtp"],
        allowedComputeProviders: ["SURF"],
      },
    },
    computeProviders: ["SURF", "otherCompany"],
    archetypes: ["computeToData", "dataThroughTtp", "reproducableScience"],
    demandedSteps,
    revision: 3,
  };
}
