import { describe, expect, it } from "vitest";
import { ErrorCode, type Reason, type Relation, type Terms } from "#contracts";
import {
  changeRelation,
  type QueryChange,
  researcher,
  wageGapKnowledge,
  wageGapQuery,
} from "#testing/wage-gap-knowledge";
import { evaluate, evaluateAgain } from "./policy.ts";

interface Case {
  readonly relation: Partial<Relation>;
  readonly query?: QueryChange;
  /** Queries that were counted before this one. */
  readonly counted?: number;
  readonly recipients?: Readonly<Record<string, string>>;
  readonly again?: boolean;
}

function verdictOf({ relation, query = {}, counted, recipients = {}, again = false }: Case) {
  const knowledge = wageGapKnowledge();
  changeRelation(knowledge, "VU", relation);
  for (const archetype of knowledge.archetypes) {
    archetype.resultRecipient = recipients[archetype.name] ?? archetype.resultRecipient;
  }
  if (counted !== undefined) knowledge.usage = [{ provider: "VU", queries: counted }];
  return (again ? evaluateAgain : evaluate)(wageGapQuery(query), "VU", knowledge, 0).decision;
}

function termsOf(asked: Case): Terms | undefined {
  const decision = verdictOf(asked);
  return decision?.$case === "terms" ? decision.value : undefined;
}

function reasonsOf(asked: Case): Reason[] {
  const decision = verdictOf(asked);
  return decision?.$case === "refusal" ? decision.value.reasons : [];
}

const clause = (field: string) => `relations["${researcher}"].${field}`;

describe("purposes", () => {
  it.each([
    [undefined, "", true],
    [undefined, "marketing", true],
    [["wage gap"], "wage gap", true],
    [["wage gap"], "Wage gap", false],
    [["wage gap"], "", false],
    [[""], "", false],
    [[], "wage gap", false],
  ])("allowing %j and stating %j: allowed %s", (names, purpose, allowed) => {
    const purposes = names && { names };
    expect(termsOf({ relation: { purposes }, query: { purpose } }) !== undefined).toBe(allowed);
  });

  it("names what is stated and what is allowed", () => {
    const relation = { purposes: { names: ["wage gap", "teaching"] } };
    expect(reasonsOf({ relation, query: { purpose: "marketing" } })).toEqual([
      {
        code: ErrorCode.DENIED,
        clause: clause("purposes"),
        message: "VU does not allow the purpose marketing, only teaching, wage gap",
      },
    ]);
    expect(reasonsOf({ relation })).toMatchObject([
      { message: "VU does not allow a query without a purpose, only teaching, wage gap" },
    ]);
  });
});

describe("queriesPerPeriod", () => {
  const quota = (max: number, periodMs = 86_400_000) => ({ queriesPerPeriod: { max, periodMs } });

  it.each([
    [3, 2, true],
    [3, 3, false],
    [3, 4, false],
    [0, 0, false],
  ])("of %i with %i before: allowed %s", (max, counted, allowed) => {
    expect(termsOf({ relation: quota(max), counted }) !== undefined).toBe(allowed);
  });

  it("says how many are allowed in which time, as a matter of rate", () => {
    expect(reasonsOf({ relation: quota(3), counted: 3 })).toEqual([
      {
        code: ErrorCode.RATE_LIMITED,
        clause: clause("queriesPerPeriod"),
        message: "VU allows at most 3 queries in 1 day",
      },
    ]);
    expect(reasonsOf({ relation: quota(1, 5_400_000), counted: 1 })).toMatchObject([
      { message: "VU allows at most 1 query in 1 hour 30 minutes" },
    ]);
    expect(reasonsOf({ relation: quota(0), counted: 0 })).toMatchObject([{ message: "VU allows no query in 1 day" }]);
  });

  it("refuses where nobody has counted", () => {
    expect(reasonsOf({ relation: quota(3) })).toMatchObject([
      {
        code: ErrorCode.RATE_LIMITED,
        message: "VU allows at most 3 queries in 1 day, and nobody has counted them",
      },
    ]);
  });

  it("does not count a query a second time, but stops it under a quota of nothing", () => {
    expect(termsOf({ relation: quota(3), counted: 9, again: true })).toBeDefined();
    expect(termsOf({ relation: quota(3), again: true })).toBeDefined();
    expect(reasonsOf({ relation: quota(0), again: true })).toMatchObject([{ code: ErrorCode.RATE_LIMITED }]);
  });
});

describe("resultRecipients", () => {
  const recipients = { computeToData: "requestor", dataThroughTtp: "SURF" };
  const to = (...names: string[]) => ({ resultRecipients: { names } });

  it("leaves the archetypes that give the result to one of them", () => {
    expect(termsOf({ relation: to("requestor"), recipients })?.archetypes).toEqual(["computeToData"]);
    expect(termsOf({ relation: to("SURF", "requestor"), recipients })?.archetypes).toHaveLength(2);
    expect(termsOf({ relation: to("requestor"), recipients })?.resultRecipients).toEqual({ names: ["requestor"] });
  });

  it("refuses with who would get it", () => {
    expect(reasonsOf({ relation: to("steward", "auditor"), recipients })).toEqual([
      {
        code: ErrorCode.DENIED,
        clause: clause("resultRecipients"),
        message:
          "VU lets the result go to auditor, steward only: computeToData gives it to requestor, dataThroughTtp gives it to SURF",
      },
    ]);
  });

  it.each([to(), to("")])("does not allow an archetype of which nobody knows to whom it gives", (relation) => {
    const reasons = reasonsOf({ relation, recipients: { computeToData: "", dataThroughTtp: "" } });
    expect(reasons).toMatchObject([
      {
        message:
          "VU lets the result go to nothing only: computeToData does not say to whom, dataThroughTtp does not say to whom",
      },
    ]);
  });

  it("says nothing more where no archetype is allowed anyway", () => {
    expect(reasonsOf({ relation: { ...to("steward"), allowedArchetypes: [] } })).toMatchObject([
      { clause: clause("allowedArchetypes") },
    ]);
  });
});

describe("the columns of the terms", () => {
  const list = (columns: Record<string, string[]>) => ({
    tables: Object.entries(columns).map(([table, names]) => ({ table, columns: names })),
  });

  it("are the allowed ones without the denied ones, whatever the case of either", () => {
    const relation = {
      allowedColumns: list({ Personen: ["Naam", "Geslacht", "Gebdat"], Aanstellingen: ["Salschal"] }),
      deniedColumns: list({ personen: ["naam", "Bsn"] }),
    };
    expect(termsOf({ relation })).toMatchObject({
      columns: list({ Aanstellingen: ["Salschal"], Personen: ["Gebdat", "Geslacht"] }),
      deniedColumns: undefined,
    });
  });

  it("keep what is denied of a table of which nothing says what is allowed", () => {
    expect(termsOf({ relation: { deniedColumns: list({ Personen: ["Naam"] }) } })).toMatchObject({
      columns: undefined,
      deniedColumns: list({ Personen: ["Naam"] }),
    });
  });

  it("are none, and not all, when everything allowed is denied", () => {
    const relation = { allowedColumns: list({ Personen: ["Naam"] }), deniedColumns: list({ Personen: ["Naam"] }) };
    expect(termsOf({ relation })?.columns).toEqual(list({ Personen: [] }));
  });
});
