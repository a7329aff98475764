import { describe, expect, it } from "vitest";
import { Terms } from "#contracts";
import { stillCovers } from "./same-terms.ts";

const approved = Terms.fromPartial({
  archetypes: ["computeToData", "dataThroughTtp"],
  computeProviders: ["SURF", "otherCompany"],
  dataSets: ["wageGap"],
  agreementRevision: 3,
});
const atHome = { archetype: "computeToData", computeProvider: "" };
const atSurf = { archetype: "dataThroughTtp", computeProvider: "SURF" };

const changes: { [Term in keyof Terms]: Pick<Terms, Term> } = {
  archetypes: { archetypes: [] },
  computeProviders: { computeProviders: [] },
  dataSets: { dataSets: ["wageGap", "other"] },
  columns: { columns: { tables: [] } },
  demandedSteps: { demandedSteps: ["sql-anonymize"] },
  agreementRevision: { agreementRevision: 4 },
  deniedColumns: { deniedColumns: { tables: [{ table: "Personen", columns: ["Gebdat"] }] } },
  rowFilters: { rowFilters: [{ table: "Personen", predicate: "Geslacht = 'V'" }] },
  aggregatesOnly: { aggregatesOnly: true },
  minimumGroupSize: { minimumGroupSize: 5 },
  maximumRows: { maximumRows: 10 },
  resultRecipients: { resultRecipients: { names: [] } },
};

const now = (change: Partial<Terms>): Terms => ({ ...approved, ...change });

describe("stillCovers", () => {
  it.each(Object.entries(changes).filter(([term]) => term !== "agreementRevision"))(
    "says what changed when it is %s",
    (_, change) => {
      expect(stillCovers(approved, now(change), atSurf)).toMatch(/changed|any more/);
    },
  );

  it("lets a query go on under a revision that says the same", () => {
    expect(stillCovers(approved, now(changes.agreementRevision), atSurf)).toBeUndefined();
  });

  it.each([
    [{ archetypes: ["computeToData"] }, atHome],
    [{ archetypes: ["dataThroughTtp"] }, atSurf],
    [{ computeProviders: ["SURF"] }, atSurf],
    [{ computeProviders: [] }, atHome],
    [{ archetypes: ["computeToData", "dataThroughTtp", "new"], computeProviders: ["A", "SURF"] }, atSurf],
  ])("does not mind what the query does not use: %j", (change, use) => {
    expect(stillCovers(approved, now(change), use)).toBeUndefined();
  });

  it.each([
    [{ archetypes: ["computeToData"] }, atSurf, "dataThroughTtp is not allowed any more"],
    [{ archetypes: ["dataThroughTtp"] }, atHome, "computeToData is not allowed any more"],
    [{ computeProviders: ["otherCompany"] }, atSurf, "SURF is not allowed to compute any more"],
  ])("names what the query uses: %j", (change, use, sentence) => {
    expect(stillCovers(approved, now(change), use)).toBe(sentence);
  });

  it("tells a list that is absent from one that is empty", () => {
    const empty = now({ columns: { tables: [] } });
    expect(stillCovers(empty, approved, atHome)).toBe("the allowed columns have changed");
  });
});
