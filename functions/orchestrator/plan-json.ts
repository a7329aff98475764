/** Verdicts, choices and plans as clients get them. */
import { type Choice, type ColumnList, type Plan, Role, type Terms, type Verdict } from "#contracts";

/** What policy decided on one provider, and by which revision of its agreement. */
export function verdictJson({ provider, decision }: Verdict) {
  return decision?.$case === "terms"
    ? { provider, allowed: true, ...termsJson(decision.value) }
    : { provider, allowed: false };
}

/** What is not limited is not there. Of a filter of rows only that there is one: what it says is the steward's. */
function termsJson(terms: Terms) {
  const { agreementRevision, dataSets, archetypes, computeProviders, columns, demandedSteps } = terms;
  const { deniedColumns, rowFilters, aggregatesOnly, minimumGroupSize, maximumRows, resultRecipients } = terms;
  return {
    agreementRevision,
    dataSets,
    archetypes,
    computeProviders,
    ...(columns === undefined ? {} : { columns: columnsJson(columns) }),
    ...(demandedSteps.length === 0 ? {} : { demandedSteps }),
    ...(deniedColumns === undefined ? {} : { deniedColumns: columnsJson(deniedColumns) }),
    ...(rowFilters.length === 0 ? {} : { filteredTables: rowFilters.map(({ table }) => table) }),
    ...(aggregatesOnly ? { aggregatesOnly } : {}),
    ...(minimumGroupSize === 0 ? {} : { minimumGroupSize }),
    ...(maximumRows === undefined ? {} : { maximumRows }),
    ...(resultRecipients === undefined ? {} : { resultRecipients: resultRecipients.names }),
  };
}

function columnsJson({ tables }: ColumnList) {
  return Object.fromEntries(tables.map(({ table, columns }) => [table, columns] as const));
}

export function choiceJson({ archetype, providers, computeProvider, rule, why, considered }: Choice) {
  return { archetype, providers, ...(computeProvider === "" ? {} : { computeProvider }), rule, why, considered };
}

const roleNames: Readonly<Record<number, string>> = {
  [Role.ALL]: "all",
  [Role.DATA_PROVIDER]: "dataProvider",
  [Role.COMPUTE_PROVIDER]: "computeProvider",
};

export function planJson(plan: Plan) {
  return plan.chains.map(({ id, party, role, archetype, steps, providers, gatherAt }) => ({
    chain: id,
    party,
    role: roleNames[role] ?? "unspecified",
    archetype,
    steps,
    providers,
    ...(gatherAt === "" ? {} : { gatherAt }),
  }));
}
