import { describe, expect, it } from "vitest";
import { Envelope, ErrorCode, Knowledge } from "#contracts";
import { callStep } from "#testing/call-step";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };
const knowledge = Knowledge.fromPartial({
  dataSets: [
    {
      name: "wageGap",
      party: "UVA",
      tables: [
        { name: "Personen", columns: ["Unieknr", "Geslacht", "Gebdat"].map((name) => ({ name })) },
        { name: "Aanstellingen", columns: [] },
      ],
    },
    { name: "other", party: "VU", tables: [{ name: "Aanstellingen", columns: [{ name: "x" }] }] },
  ],
});

function agreement(rowFilters: Record<string, Record<string, string>>) {
  const relations = Object.entries(rowFilters).map(([user, filters]) => [
    user,
    { requestTypes: [], dataSets: [], allowedArchetypes: [], allowedComputeProviders: [], rowFilters: filters },
  ]);
  return { name: "UVA", relations: Object.fromEntries(relations) };
}

function check(json: unknown, mediaType = "application/json") {
  const document = { mediaType, body: Buffer.from(typeof json === "string" ? json : JSON.stringify(json)) };
  const value = { table: undefined, chart: undefined, document };
  const inputs = [{ provider: "", payload: { content: { $case: "result" as const, value } }, failure: undefined }];
  return callStep(
    step,
    { ...Envelope.fromPartial({ party: "exchange", step: "agreement-check" }), inputs, knowledge },
    context,
  );
}

async function reasonsFor(predicate: string, table = "Personen") {
  const { decision } = await check(agreement({ "a@b": { [table]: predicate } }));
  return decision?.$case === "refusal" ? decision.value.reasons : undefined;
}

describe("agreement-check", () => {
  it("finds nothing against an agreement when each filter can be carried out", async () => {
    const json = agreement({
      "a@b": { Personen: "geslacht = 'V' AND Personen.Gebdat > DATE '1980-01-01'", Aanstellingen: "anything IS NULL" },
      "c@d": { "another table": "x IN (1, 2) OR y LIKE 'a%' -- why" },
    });
    expect((await check(json)).decision).toEqual({ $case: "refusal", value: { reasons: [] } });
  });

  it.each([
    ["Geslacht = ", ErrorCode.SQL_INVALID, "syntax error"],
    ["Geslacht = 'V') --", ErrorCode.SQL_REFUSED, "closes a bracket"],
    ["Geslacht = 'V') OR (1 = 1", ErrorCode.SQL_REFUSED, "closes a bracket"],
    ["true) UNION SELECT 1 FROM x WHERE (true", ErrorCode.SQL_REFUSED, "closes a bracket"],
    ["Geslacht = 'V'; DROP TABLE x", ErrorCode.SQL_INVALID, "syntax error"],
    ["Geslacht = $1", ErrorCode.SQL_REFUSED, "parameter"],
    ["Geslacht = E'\\'' ) GROUP BY Geslacht, (Geslacht || ''", ErrorCode.SQL_REFUSED, "must be one boolean expression"],
    [
      "Geslacht = E'\\'' ) UNION SELECT 1 FROM x WHERE ('' = ''",
      ErrorCode.SQL_REFUSED,
      "must be one boolean expression",
    ],
    ["Unieknr IN (SELECT 1)", ErrorCode.SQL_REFUSED, "sub-query"],
    ["EXISTS (SELECT 1)", ErrorCode.SQL_REFUSED, "sub-query"],
    ["max(Unieknr) > 1", ErrorCode.SQL_REFUSED, "no aggregate like max"],
    ["row_number() OVER () = 1", ErrorCode.SQL_REFUSED, "no window function"],
    ["getenv('HOME') = ''", ErrorCode.SQL_REFUSED, "getenv is not allowed"],
    ["Gebdat < current_date", ErrorCode.SQL_REFUSED, "current_date is not allowed"],
    ["COLUMNS(*) = 1", ErrorCode.SQL_REFUSED, "not allowed"],
    ["#1 = 2", ErrorCode.SQL_REFUSED, "names its columns"],
    ["Aanstellingen.Salschal = 1", ErrorCode.SQL_REFUSED, "Aanstellingen.Salschal is no column of Personen"],
    [
      "Geslach = 'V'",
      ErrorCode.UNKNOWN_COLUMN,
      "Personen has no column Geslach in its description: did you mean Geslacht?",
    ],
    ["shoesize = 1", ErrorCode.UNKNOWN_COLUMN, "described are Gebdat, Geslacht, Unieknr"],
    ["/* open", ErrorCode.SQL_INVALID, ""],
    ["true GROUP BY 1", ErrorCode.SQL_INVALID, "syntax error"],
  ])("refuses %s", async (predicate, code, message) => {
    const reasons = await reasonsFor(predicate);
    expect(reasons).toEqual([
      { code, clause: 'relations["a@b"].rowFilters.Personen', message: expect.stringContaining(message) },
    ]);
  });

  it("names each filter that is wrong by its path, in order", async () => {
    const { decision } = await check(
      agreement({ "z@z": { b: "(", 'a"b': ")" }, "a@b": { t: "1 +" }, "c@d": { t: "x = 1" } }),
    );
    const clauses = decision?.$case === "refusal" ? decision.value.reasons.map(({ clause }) => clause) : [];
    expect(clauses).toEqual([
      'relations["a@b"].rowFilters.t',
      'relations["z@z"].rowFilters["a\\"b"]',
      'relations["z@z"].rowFilters.b',
    ]);
  });

  it("names what is protected in a table that there is not", async () => {
    const json = agreement({ "a@b": { Persoonen: "true" } });
    const relations = {
      "a@b": { ...json.relations["a@b"], dataSets: ["wageGap"], deniedColumns: { Personeen: ["x"] } },
    };
    const { decision } = await check({ ...json, relations });
    const unknown = { code: ErrorCode.UNKNOWN_TABLE, message: expect.stringMatching(/did you mean Personen\?$/) };
    expect(decision).toEqual({
      $case: "refusal",
      value: {
        reasons: [
          { ...unknown, clause: 'relations["a@b"].rowFilters.Persoonen' },
          { ...unknown, clause: 'relations["a@b"].deniedColumns.Personeen' },
        ],
      },
    });
  });

  it("fails by name on what is no agreement, and rehearses without a failure", async () => {
    await expect(check("{")).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
    await expect(check({ name: "UVA" })).rejects.toMatchObject({ code: ErrorCode.INVALID_REQUEST });
    await expect(check("{}", "text/plain")).rejects.toMatchObject({ code: ErrorCode.ENVELOPE_INVALID });
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });
});
