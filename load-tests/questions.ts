/** What is asked. Pure data: the k6 scripts and the autocannon driver ask the same. */

export interface Question {
  readonly name: string;
  /** Body of `POST /v1/queries`. */
  readonly body: {
    readonly providers: readonly string[];
    readonly sql: string;
    readonly algorithm?: string;
    readonly options?: { readonly aggregate?: boolean };
  };
  /** Which the plan must have. */
  readonly archetype: "computeToData" | "dataThroughTtp";
  /** Whose results there must be. */
  readonly answeredBy: readonly string[];
}

const salaries =
  "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr AND p.Peildat = s.Peildat";
const both = ["UVA", "VU"];

/** Each provider computes at home. */
export const atHome: Question = {
  name: "averages at home",
  body: { providers: both, sql: salaries, algorithm: "average" },
  archetype: "computeToData",
  answeredBy: both,
};

/** The smallest chain: one provider, one step. */
export const oneProvider: Question = {
  name: "one provider's count",
  body: { providers: ["VU"], sql: "SELECT count(*) AS people FROM Personen" },
  archetype: "computeToData",
  answeredBy: ["VU"],
};

/** Both providers' rows go to the third party, which computes once. */
export const atThirdParty: Question = {
  name: "one average at the third party",
  body: { providers: both, sql: salaries, algorithm: "average", options: { aggregate: true } },
  archetype: "dataThroughTtp",
  answeredBy: ["SURF"],
};

/** All rows of one table, united: tens of thousands of cells travel. */
export const unitedRows: Question = {
  name: "rows through the third party",
  body: { providers: both, sql: "SELECT * FROM Personen ORDER BY ALL", options: { aggregate: true } },
  archetype: "dataThroughTtp",
  answeredBy: ["SURF"],
};

export const questions: readonly Question[] = [oneProvider, atHome, atThirdParty, unitedRows];
