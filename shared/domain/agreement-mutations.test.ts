/**
 * Every field of an agreement counts: for each one that the schema has there is another value under which
 * some decision is another. A field that is added and not read, or is read and has no effect, fails here.
 */
import { expect, it } from "vitest";
import type { Agreement, Usage, Verdict } from "#contracts";
import { agreementFromJson } from "#contracts/documents";
import { fieldsOf, placesOf, type Schema, valueAt, withValueAt } from "#testing/schema-fields";
import { type QueryChange, researcher, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import schema from "../contracts/schema/agreement.schema.json" with { type: "json" };
import { evaluate } from "./policy.ts";

const nowMs = Date.parse("2025-06-01T00:00:00Z");
const steward = "VU";
/** With every field that there is. */
const document = {
  name: steward,
  relations: {
    [researcher]: {
      ID: "12324",
      requestTypes: ["sqlDataRequest"],
      dataSets: ["wageGap"],
      allowedArchetypes: ["computeToData", "dataThroughTtp"],
      allowedComputeProviders: ["SURF"],
      allowedAlgorithms: ["average", "rows"],
      allowedColumns: { Personen: ["Geslacht", "Unieknr"] },
      deniedColumns: { Aanstellingen: ["Salschal"] },
      rowFilters: { Personen: "Geslacht = 'V'" },
      aggregatesOnly: true,
      minimumGroupSize: 5,
      purposes: ["wage gap"],
      queriesPerPeriod: { max: 3, period: "P1D" },
      resultRecipients: ["requestor"],
      maximumRows: 1_000,
      validFrom: "2025-01-01T00:00:00Z",
      validUntil: "2026-01-01T00:00:00Z",
    },
  },
  computeProviders: ["SURF"],
  archetypes: ["computeToData", "dataThroughTtp"],
  demandedSteps: { sqlDataRequest: ["sql-anonymize"] },
};

/** What is asked, and how many queries were counted before it. */
const questions: readonly (QueryChange & { readonly counted: number })[] = [
  { counted: 0 },
  { counted: 2 },
  { counted: 3 },
  { counted: 0, algorithm: { name: "average" } },
  { counted: 0, algorithm: { name: "median" } },
  { counted: 0, purpose: "" },
  { counted: 0, user: { id: "777", name: researcher } },
  { counted: 0, dataSets: ["secrets"] },
];

const fields = fieldsOf(schema as Schema).map((field) => ({ ...field, name: field.path.join(".") }));

function decisionsUnder(agreement: Agreement): Verdict[] {
  return questions.map(({ counted, ...change }) => {
    const usage: Usage[] = [{ provider: steward, queries: counted }];
    const knowledge = { ...wageGapKnowledge(), agreements: [agreement], usage };
    return evaluate(wageGapQuery({ purpose: "wage gap", ...change }), steward, knowledge, nowMs);
  });
}

/** Other values of the same kind. */
function mutationsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return [[], value.slice(1), [...value, "somethingElse"], undefined];
  switch (typeof value) {
    case "boolean":
      return [!value, undefined];
    case "number":
      return [value + 1, value - 1, 1, undefined];
    case "string":
      return [`${value}X`, "PT1H", "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", undefined];
    default:
      return [{}, undefined];
  }
}

/** Those of one field that are valid and change a decision, of how many that are valid. */
function effectsOf(document: object, path: readonly string[]): { effective: number; valid: number } {
  const before = JSON.stringify(decisionsUnder(agreementFromJson(document, 1)));
  let [effective, valid] = [0, 0];
  for (const place of placesOf(document, path)) {
    for (const mutation of mutationsOf(valueAt(document, place))) {
      let agreement: Agreement;
      try {
        agreement = agreementFromJson(withValueAt(document, place, mutation), 1);
      } catch {
        continue;
      }
      valid += 1;
      if (JSON.stringify(decisionsUnder(agreement)) !== before) effective += 1;
    }
  }
  return { effective, valid };
}

it("the document under test has every field of the schema", () => {
  const absent = fields.filter(({ path }) => placesOf(document, path).length === 0).map(({ name }) => name);
  expect(absent).toEqual([]);
});

it("the questions are answered with yes and with no, or a change would not show", () => {
  const kinds = decisionsUnder(agreementFromJson(document, 1)).map(({ decision }) => decision?.$case);
  expect(new Set(kinds)).toEqual(new Set(["terms", "refusal"]));
});

const counts = { fields: 0, mutations: 0 };

it.each(fields)("another $name gives another decision", ({ path }) => {
  const { effective, valid } = effectsOf(document, path);
  counts.fields += effective > 0 ? 1 : 0;
  counts.mutations += valid;
  expect(effective).toBeGreaterThan(0);
});

it("prints how many fields count", () => {
  process.stdout.write(`AGREEMENT: ${counts.fields} of ${fields.length} fields change a decision, `);
  process.stdout.write(`${counts.mutations} mutations tried\n`);
  expect(counts.fields).toBe(fields.length);
});

it("finds a field without effect: what is agreed with somebody else", () => {
  const own = document.relations[researcher];
  const stranger = "stranger@example.org";
  const path = ["relations", stranger, "purposes"];
  const relations = { [researcher]: own, [stranger]: structuredClone(own) };
  const { effective, valid } = effectsOf({ ...document, relations }, path);
  expect({ effective, hasMutations: valid > 0 }).toEqual({ effective: 0, hasMutations: true });
});
