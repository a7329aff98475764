import { describe, expect, it } from "vitest";
import { ErrorCode, type Reason, type Verdict } from "#contracts";
import { changeRelation, researcher, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { approvalsOf, evaluate, placedReasons } from "./policy.ts";

const nowMs = Date.parse("2025-06-01T00:00:00Z");

function reasonsOf(verdict: Verdict): Reason[] {
  return verdict.decision?.$case === "refusal" ? verdict.decision.value.reasons : [];
}

function termsOf(verdict: Verdict) {
  return verdict.decision?.$case === "terms" ? verdict.decision.value : undefined;
}

describe("evaluate", () => {
  it("gives the terms that the agreement and the relation allow together", () => {
    expect(termsOf(evaluate(wageGapQuery(), "UVA", wageGapKnowledge(), nowMs))).toEqual({
      archetypes: ["computeToData", "dataThroughTtp"],
      computeProviders: ["SURF"],
      dataSets: ["wageGap"],
      columns: undefined,
      demandedSteps: ["sql-anonymize"],
      agreementRevision: 3,
      deniedColumns: undefined,
      rowFilters: [],
      aggregatesOnly: false,
      minimumGroupSize: 0,
      maximumRows: undefined,
      resultRecipients: undefined,
    });
  });

  it("refuses a provider that nobody knows by name at once (A13)", () => {
    expect(reasonsOf(evaluate(wageGapQuery(), "Atlantis", wageGapKnowledge(), nowMs))).toEqual([
      { code: ErrorCode.UNKNOWN_PROVIDER, clause: "", message: "there is no provider named Atlantis" },
    ]);
  });

  it("refuses a known party without an agreement as denied, not as unknown", () => {
    expect(reasonsOf(evaluate(wageGapQuery(), "SURF", wageGapKnowledge(), nowMs))).toEqual([
      { code: ErrorCode.DENIED, clause: "", message: "SURF has no agreement with anybody" },
    ]);
  });

  it("refuses a user with whom the steward has no relation", () => {
    expect(reasonsOf(evaluate(wageGapQuery(), "RUG", wageGapKnowledge(), nowMs))).toEqual([
      {
        code: ErrorCode.DENIED,
        clause: `relations["${researcher}"]`,
        message: `RUG has no agreement with ${researcher}`,
      },
    ]);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "", "Researcher@example.org", `${researcher} `])(
    "finds no relation for the hostile or inexact user name %j",
    (name) => {
      const [reason] = reasonsOf(evaluate(wageGapQuery({ user: { name } }), "UVA", wageGapKnowledge(), nowMs));
      expect(reason).toMatchObject({ code: ErrorCode.DENIED, clause: `relations[${JSON.stringify(name)}]` });
    },
  );

  it.each(["__proto__", "constructor"])("demands no step for the hostile request type %j", (requestType) => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "UVA", { requestTypes: [requestType] });
    expect(termsOf(evaluate(wageGapQuery({ requestType }), "UVA", knowledge, nowMs))?.demandedSteps).toEqual([]);
  });

  it("collects every reason, each with its clause and what is allowed instead", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", {
      id: "777",
      requestTypes: ["genericRequest"],
      allowedArchetypes: [""],
      allowedAlgorithms: { names: ["sum", "average"] },
      validUntilMs: nowMs,
    });
    const query = wageGapQuery({ dataSets: ["secrets"], algorithm: { name: "median" } });
    const clause = (field: string) => `relations["${researcher}"].${field}`;
    expect(reasonsOf(evaluate(query, "VU", knowledge, nowMs))).toEqual(
      [
        ["ID", "VU has an agreement with another user of this name, not with id 12324"],
        ["validUntil", "VU allows nothing from 2025-06-01T00:00:00.000Z on"],
        ["requestTypes", "VU does not allow request type sqlDataRequest, only genericRequest"],
        ["dataSets", "VU does not allow data set secrets, only wageGap"],
        [
          "allowedArchetypes",
          "VU allows no archetype: computeToData, dataThroughTtp, reproducableScience in general, nothing to this user",
        ],
        ["allowedAlgorithms", "VU does not allow algorithm median, only average, sum"],
      ].map(([field, message]) => ({ code: ErrorCode.DENIED, clause: clause(field ?? ""), message })),
    );
  });

  it.each([
    ["GUID", "12324", true],
    ["", "12324", true],
    ["12324", "12324", true],
    ["12324", "", false],
    ["777", "12324", false],
  ])("with relation id %j and user id %j: allowed %s", (relationId, userId, allowed) => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { id: relationId });
    const verdict = evaluate(wageGapQuery({ user: { id: userId, name: researcher } }), "VU", knowledge, nowMs);
    expect(termsOf(verdict) !== undefined).toBe(allowed);
  });

  it("does not tell a stranger the id that a relation is bound to", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { id: "bound-777" });
    expect(JSON.stringify(evaluate(wageGapQuery(), "VU", knowledge, nowMs))).not.toContain("bound-777");
  });

  it.each([
    [{ validFromMs: nowMs }, true],
    [{ validFromMs: nowMs + 1 }, false],
    [{ validUntilMs: nowMs + 1 }, true],
    [{ validUntilMs: nowMs }, false],
    [{ validFromMs: 0, validUntilMs: 0 }, false],
  ])("holds from validFrom on and before validUntil: %j is allowed %s", (dates, allowed) => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", dates);
    expect(termsOf(evaluate(wageGapQuery(), "VU", knowledge, nowMs)) !== undefined).toBe(allowed);
  });

  it.each([
    [undefined, "median", true],
    [[], "median", false],
    [["median"], "median", true],
    [["median"], "", false],
    [["rows"], "", true],
    [["rows"], "median", false],
  ])("with algorithms %j and %j asked: allowed %s", (names, name, allowed) => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedAlgorithms: names && { names } });
    const verdict = evaluate(wageGapQuery({ algorithm: { name } }), "VU", knowledge, nowMs);
    expect(termsOf(verdict) !== undefined).toBe(allowed);
  });

  it("counts a query without an algorithm as rows", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedAlgorithms: { names: ["average"] } });
    expect(reasonsOf(evaluate(wageGapQuery(), "VU", knowledge, nowMs))).toMatchObject([
      { message: "VU does not allow algorithm rows, only average" },
    ]);
  });

  it("takes the provider's own data sets that the relation names when the query names none", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { dataSets: ["elsewhere"] });
    expect(reasonsOf(evaluate(wageGapQuery(), "VU", knowledge, nowMs))).toMatchObject([
      { code: ErrorCode.DENIED, message: "VU has no data set that the agreement allows" },
    ]);
  });

  it("says so when an allowed data set is not there", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { dataSets: ["elsewhere"] });
    expect(reasonsOf(evaluate(wageGapQuery({ dataSets: ["elsewhere"] }), "VU", knowledge, nowMs))).toMatchObject([
      { code: ErrorCode.NOT_FOUND, message: "VU allows data set elsewhere but does not have it" },
    ]);
  });

  it("puts the permitted columns into the terms, an empty list too", () => {
    const knowledge = wageGapKnowledge();
    const columns = { tables: [{ table: "Personen", columns: ["Unieknr", "Geslacht"] }] };
    changeRelation(knowledge, "VU", { allowedColumns: columns });
    changeRelation(knowledge, "UVA", { allowedColumns: { tables: [] } });
    expect(termsOf(evaluate(wageGapQuery(), "VU", knowledge, nowMs))?.columns).toEqual({
      tables: [{ table: "Personen", columns: ["Geslacht", "Unieknr"] }],
    });
    expect(termsOf(evaluate(wageGapQuery(), "UVA", knowledge, nowMs))?.columns).toEqual({ tables: [] });
  });

  it("allows without any compute provider: only some archetypes need one", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedComputeProviders: ["nobody"] });
    expect(termsOf(evaluate(wageGapQuery(), "VU", knowledge, nowMs))?.computeProviders).toEqual([]);
  });
});

describe("approvalsOf", () => {
  it("approves the allowed alone, bound to query, user and provider, and unsigned", () => {
    const query = wageGapQuery();
    const verdicts = ["VU", "RUG", "UVA"].map((provider) => evaluate(query, provider, wageGapKnowledge(), nowMs));
    const approvals = approvalsOf(query, verdicts, 99);
    expect(approvals.map(({ provider }) => provider)).toEqual(["UVA", "VU"]);
    expect(approvals[0]).toMatchObject({ queryId: "q1", user: { name: researcher }, expiresAtMs: 99, jws: "" });
  });
});

describe("placedReasons", () => {
  it("says in each clause whose agreement it is in", () => {
    const verdicts = ["VU", "Atlantis", "RUG"].map((name) => evaluate(wageGapQuery(), name, wageGapKnowledge(), nowMs));
    expect(placedReasons(verdicts).map(({ clause }) => clause)).toEqual(["Atlantis", `RUG.relations["${researcher}"]`]);
  });
});
