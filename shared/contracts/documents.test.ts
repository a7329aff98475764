import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Agreement,
  Algorithm,
  Archetype,
  Column,
  DataSet,
  Measure,
  Party,
  Query,
  Relation,
  RequestType,
  Step,
  TableDescription,
  User,
} from "#contracts";
import { compareNames } from "#domain/by-name";
import { limits } from "#domain/limits";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  InvalidDocument,
  parseAgreementFor,
  partyFromJson,
  queryRequestFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "./documents.ts";

// biome-ignore lint/suspicious/noExplicitAny: a schema is walked by names that the test spells out.
const schemaOf = (name: string): any =>
  JSON.parse(readFileSync(new URL(`schema/${name}.schema.json`, import.meta.url), "utf8"));

const problemsOf = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidDocument) {
      return error.problems;
    }
    throw error;
  }
  return [];
};

const relation = {
  ID: "GUID",
  requestTypes: ["sqlDataRequest"],
  dataSets: ["wageGap"],
  allowedArchetypes: ["computeToData"],
  allowedComputeProviders: ["SURF"],
};
const agreement = {
  name: "UVA",
  relations: { "a@b.org": relation },
  computeProviders: ["SURF"],
  archetypes: ["computeToData"],
};
const dataSet = {
  name: "wageGap",
  party: "UVA",
  type: "csv",
  tables: [{ name: "Personen", file: "Personen_UVA.csv" }],
};
const request = { user: { name: "a@b.org" }, providers: ["UVA"], sql: "SELECT 1" };

describe("each schema names what its contract has, and nothing else", () => {
  /** JSON name to contract name where they differ; `-` where the one has no counterpart in the other. */
  it.each([
    ["agreement", [], Agreement.create(), { revision: "-" }],
    [
      "agreement",
      ["$defs", "relation"],
      Relation.create(),
      { ID: "id", validFrom: "validFromMs", validUntil: "validUntilMs" },
    ],
    ["archetype", [], Archetype.create(), {}],
    ["request-type", [], RequestType.create(), {}],
    ["step", [], Step.create(), {}],
    ["data-set", [], DataSet.create(), {}],
    ["data-set", ["$defs", "table"], TableDescription.create(), {}],
    ["data-set", ["$defs", "column"], Column.create(), {}],
    ["data-set", ["properties", "measure"], Measure.create(), {}],
    ["party", [], Party.create(), { online: "-", load: "-" }],
    ["query-request", [], Query.create(), { id: "-", timeoutMs: "-", reuse: "-", head: "-" }],
    ["query-request", ["properties", "user"], User.create(), {}],
    ["query-request", ["properties", "algorithm"], Algorithm.create(), {}],
  ])("%s %j", (name, path, message, renamed: Record<string, string>) => {
    const schema = path.reduce((at, key) => at[key], schemaOf(name));
    const inJson = Object.keys(schema.properties).map((key) => renamed[key] ?? key);
    const inContract = Object.keys(message).map((key) => (renamed[key] === "-" ? "-" : key));
    const named = (keys: string[]) => keys.filter((key) => key !== "-").sort();
    expect(schema.additionalProperties).toBe(false);
    expect(named(inJson)).toEqual(named(inContract));
  });
});

it("takes its limits from the one place that names them", () => {
  const { sql, providers, timeoutMs } = schemaOf("query-request").properties;
  expect([sql.maxLength, providers.maxItems, timeoutMs.maximum]).toEqual([
    limits.sqlCharsMax,
    limits.providersMax,
    limits.queryTimeoutMsMax,
  ]);
});

it("bounds every string and every list in every schema", () => {
  const unbounded: string[] = [];
  const walk = (name: string, at: unknown): void => {
    if (typeof at !== "object" || at === null) {
      return;
    }
    const { type, maxLength, maxItems, maxProperties, properties } = at as Record<string, unknown>;
    const types = [type].flat();
    const free =
      (types.includes("string") && maxLength === undefined) ||
      (types.includes("array") && maxItems === undefined) ||
      (types.includes("object") && maxProperties === undefined && properties === undefined);
    if (free) {
      unbounded.push(name);
    }
    for (const [key, value] of Object.entries(at)) {
      walk(`${name}/${key}`, value);
    }
  };
  const names = readdirSync(new URL("schema/", import.meta.url)).map((file) => file.replace(".schema.json", ""));
  expect(names).toHaveLength(8);
  for (const name of names) {
    walk(name, schemaOf(name));
  }
  expect(unbounded).toEqual([]);
});

it("checks without loading anything at run time", () => {
  const code = readFileSync(new URL("gen/validators.js", import.meta.url), "utf8");
  expect(code).not.toMatch(/^\s*import[\s{*]|[^_"'.\w]require\(|Dynamic require/m);
});

describe("agreementFromJson", () => {
  it("reads an agreement as the original writes it", () => {
    expect(agreementFromJson(agreement, 7)).toEqual({
      name: "UVA",
      relations: {
        "a@b.org": {
          id: "GUID",
          requestTypes: ["sqlDataRequest"],
          dataSets: ["wageGap"],
          allowedArchetypes: ["computeToData"],
          allowedComputeProviders: ["SURF"],
          allowedAlgorithms: undefined,
          allowedColumns: undefined,
          deniedColumns: undefined,
          rowFilters: [],
          aggregatesOnly: false,
          minimumGroupSize: 0,
          maximumRows: undefined,
          purposes: undefined,
          queriesPerPeriod: undefined,
          resultRecipients: undefined,
          validFromMs: undefined,
          validUntilMs: undefined,
        },
      },
      computeProviders: ["SURF"],
      archetypes: ["computeToData"],
      demandedSteps: {},
      revision: 7,
    });
  });

  it.each([{}, { computeProviders: null, archetypes: null }])(
    "reads RUG's, with nothing or null in place of lists: %j",
    (rest) => {
      expect(agreementFromJson({ name: "RUG", relations: {}, ...rest }, 1)).toMatchObject({
        computeProviders: [],
        archetypes: [],
      });
    },
  );

  it("reads the original's three ways to allow nothing", () => {
    const read = (allowedArchetypes: unknown) =>
      agreementFromJson({ ...agreement, relations: { u: { ...relation, allowedArchetypes } } }, 1).relations.u
        ?.allowedArchetypes;
    expect([read([""]), read([]), read(null)]).toEqual([[""], [], []]);
  });

  it("reads algorithms, columns, dates and demands", () => {
    const json = {
      ...agreement,
      relations: {
        u: {
          ...relation,
          allowedAlgorithms: ["average"],
          allowedColumns: { Personen: ["Geslacht"] },
          validFrom: "2025-01-01T00:00:00Z",
          validUntil: "2025-06-30T23:59:59.5+02:00",
        },
      },
      demandedSteps: { sqlDataRequest: ["sql-anonymize"] },
    };
    expect(agreementFromJson(json, 1)).toMatchObject({
      relations: {
        u: {
          allowedAlgorithms: { names: ["average"] },
          allowedColumns: { tables: [{ table: "Personen", columns: ["Geslacht"] }] },
          validFromMs: Date.UTC(2025, 0, 1),
          validUntilMs: Date.UTC(2025, 5, 30, 21, 59, 59, 500),
        },
      },
      demandedSteps: { sqlDataRequest: { names: ["sql-anonymize"] } },
    });
  });

  it.each([
    "2025-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-01-01",
    "tomorrow",
    "2025-01-01T24:00:00Z",
  ])("refuses %s as a date, by its path", (validFrom) => {
    const json = { ...agreement, relations: { "a/b": { ...relation, validFrom } } };
    expect(problemsOf(() => agreementFromJson(json, 1))).toMatchObject([{ path: "/relations/a~1b/validFrom" }]);
  });

  it("keeps a hostile user name as a name", () => {
    const json = JSON.parse(`{"name":"UVA","relations":{"__proto__":${JSON.stringify(relation)}}}`);
    const { relations } = agreementFromJson(json, 1);
    expect(Object.keys(relations)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(relations)).toBe(Object.prototype);
  });

  it("names each wrong place and what was expected there, and no value of the document", () => {
    const json = {
      ...agreement,
      archetypes: "s3cret",
      clause: 1,
      relations: { "a@b.org": { ...relation, dataSets: ["ok", 5], allowedAlgorithms: null, requestTypes: undefined } },
    };
    const problems = problemsOf(() => agreementFromJson(json, 1));
    expect([...problems].sort((a, b) => compareNames(a.path, b.path))).toEqual([
      { path: "", message: 'property "clause" is not known here' },
      { path: "/archetypes", message: "must be array or null" },
      { path: "/relations/a@b.org", message: "property requestTypes is missing" },
      { path: "/relations/a@b.org/allowedAlgorithms", message: "must be array" },
      { path: "/relations/a@b.org/dataSets/1", message: "must be string" },
    ]);
  });

  it.each([null, 5, "x", [], undefined, true])("refuses %j as a whole", (json) => {
    expect(problemsOf(() => agreementFromJson(json, 1))).toEqual([{ path: "", message: "must be object" }]);
    expect(problemsOf(() => parseAgreementFor("u")(json, 1))).toEqual([{ path: "", message: "must be object" }]);
  });

  it("complains about the first twenty places only", () => {
    expect(problemsOf(() => agreementFromJson({ ...agreement, archetypes: Array(200).fill(1) }, 1))).toHaveLength(20);
  });
});

describe("parseAgreementFor", () => {
  const json = { ...agreement, relations: { "a@b.org": relation, other: { broken: true } } };

  it("keeps one user's relation, and does not stumble over another's", () => {
    expect(Object.keys(parseAgreementFor("a@b.org")(json, 1).relations)).toEqual(["a@b.org"]);
    expect(parseAgreementFor("stranger")(json, 1).relations).toEqual({});
    expect(parseAgreementFor("toString")(json, 1).relations).toEqual({});
  });

  it("still refuses when that user's relation is broken", () => {
    expect(problemsOf(() => parseAgreementFor("other")(json, 1)).length).toBeGreaterThan(0);
  });
});

describe("the catalogue's documents", () => {
  it("reads each kind and fills in what is left out", () => {
    expect(archetypeFromJson({ name: "a", computeProvider: "other", weight: 2 })).toEqual({
      name: "a",
      computeProvider: "other",
      resultRecipient: "",
      weight: 2,
    });
    expect(requestTypeFromJson({ name: "t", requiredSteps: ["s"], optionalSteps: { o: "flag" } })).toEqual({
      name: "t",
      requiredSteps: ["s"],
      optionalSteps: { o: "flag" },
    });
    expect(stepFromJson({ name: "s", label: "computeProvider", allowedOutputs: [] }).invalidArchetypes).toEqual([]);
    expect(partyFromJson({ name: "UVA", roles: ["dataProvider"] }, true)).toEqual({
      name: "UVA",
      roles: ["dataProvider"],
      online: true,
    });
    expect(dataSetFromJson({ ...dataSet, measure: { column: "Salschal" } })).toEqual({
      name: "wageGap",
      party: "UVA",
      type: "csv",
      delimiter: "",
      tables: [{ name: "Personen", file: "Personen_UVA.csv", columns: [] }],
      measure: { column: "Salschal", groupBy: [] },
    });
  });

  it.each(["../secrets.csv", "a/b.csv", "/etc/passwd", "..", ".", ".hidden", "a\\b.csv", "", "a\u0000b"])(
    "refuses %j as the file of a table",
    (file) => {
      const json = { ...dataSet, tables: [{ name: "t", file }] };
      expect(problemsOf(() => dataSetFromJson(json)).map(({ path }) => path)).toContain("/tables/0/file");
    },
  );

  it.each(["a..b.csv", "Personen UVA.csv", "données.parquet"])("takes %j as the file of a table", (file) => {
    expect(dataSetFromJson({ ...dataSet, tables: [{ name: "t", file }] }).tables[0]?.file).toBe(file);
  });

  it.each(["uva.x", "a#", "*", "-a", "a--b", ""])(
    "refuses %j as a party's name, which would break queue names",
    (name) => {
      expect(problemsOf(() => partyFromJson({ name, roles: ["dataProvider"] })).length).toBeGreaterThan(0);
    },
  );
});

describe("a relation that says more", () => {
  const more = {
    deniedColumns: { Personen: ["Naam"] },
    rowFilters: { Personen: "Geslacht = 'V'" },
    aggregatesOnly: true,
    minimumGroupSize: 10,
    purposes: ["research"],
    queriesPerPeriod: { max: 3, period: "P1DT2H3M4S" },
    resultRecipients: ["requestor"],
    maximumRows: 5,
  };
  const withRelation = (change: object) => ({
    name: "UVA",
    relations: {
      "a@b.org": {
        requestTypes: [],
        dataSets: [],
        allowedArchetypes: [],
        allowedComputeProviders: [],
        ...more,
        ...change,
      },
    },
  });
  const read = (change: object) => agreementFromJson(withRelation(change), 1).relations["a@b.org"];

  it("is read field by field", () => {
    expect(read({})).toMatchObject({
      deniedColumns: { tables: [{ table: "Personen", columns: ["Naam"] }] },
      rowFilters: [{ table: "Personen", predicate: "Geslacht = 'V'" }],
      aggregatesOnly: true,
      minimumGroupSize: 10,
      purposes: { names: ["research"] },
      queriesPerPeriod: { max: 3, periodMs: 93_784_000 },
      resultRecipients: { names: ["requestor"] },
      maximumRows: 5,
    });
  });

  it.each([
    [{ minimumGroupSize: 0 }, "/relations/a@b.org/minimumGroupSize"],
    [{ minimumGroupSize: "10" }, "/relations/a@b.org/minimumGroupSize"],
    [{ maximumRows: -1 }, "/relations/a@b.org/maximumRows"],
    [{ aggregatesOnly: "yes" }, "/relations/a@b.org/aggregatesOnly"],
    [{ purposes: "research" }, "/relations/a@b.org/purposes"],
    [{ rowFilters: { Personen: "" } }, "/relations/a@b.org/rowFilters/Personen"],
    [{ deniedColumns: ["Naam"] }, "/relations/a@b.org/deniedColumns"],
    [{ queriesPerPeriod: { max: 1 } }, "/relations/a@b.org/queriesPerPeriod"],
    [{ queriesPerPeriod: { max: 1, period: "1 day" } }, "/relations/a@b.org/queriesPerPeriod/period"],
    [{ queriesPerPeriod: { max: 1, period: "P" } }, "/relations/a@b.org/queriesPerPeriod/period"],
    [{ queriesPerPeriod: { max: 1, period: "P1DT" } }, "/relations/a@b.org/queriesPerPeriod/period"],
    [{ queriesPerPeriod: { max: 1, period: "PT0S" } }, "/relations/a@b.org/queriesPerPeriod/period"],
    [{ queriesPerPeriod: { max: -1, period: "P1D" } }, "/relations/a@b.org/queriesPerPeriod/max"],
  ])("is refused with %j, at its path", (change, path) => {
    const problems = (() => {
      try {
        read(change);
        return [];
      } catch (error) {
        return (error as InvalidDocument).problems;
      }
    })();
    expect(problems.map((problem) => problem.path)).toContain(path);
  });
});

describe("queryRequestFromJson", () => {
  it("fills the defaults", () => {
    expect(queryRequestFromJson(request)).toEqual({
      query: {
        id: "",
        requestType: "sqlDataRequest",
        user: { id: "", name: "a@b.org" },
        providers: ["UVA"],
        dataSets: [],
        sql: "SELECT 1",
        algorithm: undefined,
        options: {},
        purpose: "",
      },
      timeoutMs: undefined,
    });
  });

  it.each([
    ["average", { name: "average", column: "", groupBy: [] }],
    [
      { name: "sum", column: "c", groupBy: ["g"] },
      { name: "sum", column: "c", groupBy: ["g"] },
    ],
  ])("reads algorithm %j", (algorithm, expected) => {
    expect(queryRequestFromJson({ ...request, algorithm }).query.algorithm).toEqual(expected);
  });

  it.each([
    [{ algorithm: {} }, "/algorithm"],
    [{ algorithm: 5 }, "/algorithm"],
    [{ algorithm: { name: "a", rows: 1 } }, "/algorithm"],
    [{ algorithm: { name: "", column: "c" } }, "/algorithm/name"],
    [{ options: JSON.parse('{"__proto__": true}') }, "/options"],
    [{ providers: [] }, "/providers"],
    [{ providers: Array(65).fill("A") }, "/providers"],
    [{ sql: "" }, "/sql"],
    [{ sql: "x".repeat(20_001) }, "/sql"],
    [{ options: { graph: "yes" } }, "/options/graph"],
    [{ timeoutMs: 99 }, "/timeoutMs"],
    [{ timeoutMs: 120_001 }, "/timeoutMs"],
    [{ timeoutMs: 1.5e3 + 0.5 }, "/timeoutMs"],
    [{ user: {} }, "/user"],
    [{ unknown: 1 }, ""],
  ])("refuses %j at %j", (change, path) => {
    expect(problemsOf(() => queryRequestFromJson({ ...request, ...change })).map((problem) => problem.path)).toContain(
      path,
    );
  });
});
