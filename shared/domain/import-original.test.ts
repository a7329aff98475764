import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { type ImportedDocument, importOriginal } from "./import-original.ts";

const relation = {
  ID: "GUID",
  requestTypes: ["sqlDataRequest"],
  dataSets: ["wageGap"],
  allowedArchetypes: ["computeToData"],
  allowedComputeProviders: ["SURF"],
};

const files = {
  "agreements.json": [
    {
      name: "UVA",
      relations: { "a@b.org": relation },
      computeProviders: ["SURF", "otherCompany"],
      archetypes: ["computeToData"],
    },
    { name: "RUG", relations: {} },
  ],
  "archetype.json": [{ name: "dataThroughTtp", computeProvider: "other", resultRecipient: "requestor", weight: 200 }],
  "requestType.json": [
    { name: "sqlDataRequest", requiredServices: ["sql-query"], optionalServices: { "sql-graph": "graph" } },
    { name: "bare" },
  ],
  "microservices.json": [{ name: "sql-query", label: "dataProvider", allowedOutputs: ["sql-graph"] }],
  "optional_microservices.json": [{ data_steward: "UVA", types: { sqlDataRequest: ["sql-anonymize"] } }],
  "datasets.json": [
    { name: "wageGap", type: "csv", delimiter: ";", tables: ["Personen", "Aanstellingen"], sensitive_columns: {} },
    { name: "other", type: "csv", tables: ["Things"] },
  ],
};
const dataFiles = ["Personen_UVA.csv", "Aanstellingen_UVA.csv", "Personen_test.csv", "Personen.csv", "Things_RUG.csv"];

const documentAt = (documents: ImportedDocument[], key: string) => documents.find((one) => one.key === key)?.value;

/** By the same reader that the product uses. */
function check({ key, value }: ImportedDocument): unknown {
  const read: Record<string, (json: unknown) => unknown> = {
    agreements: (json) => agreementFromJson(json, 1),
    archetypes: archetypeFromJson,
    requestTypes: requestTypeFromJson,
    steps: stepFromJson,
    dataSets: dataSetFromJson,
    parties: (json) => partyFromJson(json),
  };
  return read[key.split("/")[1] ?? ""]?.(value) ?? expect.fail(`no reader for ${key}`);
}

describe("importOriginal", () => {
  it("gives valid documents in the order of their keys", () => {
    const documents = importOriginal(files, dataFiles);
    documents.forEach(check);
    expect(documents.map(({ key }) => key)).toEqual([
      "/agreements/RUG",
      "/agreements/UVA",
      "/archetypes/dataThroughTtp",
      "/dataSets/RUG/other",
      "/dataSets/UVA/wageGap",
      "/parties/RUG",
      "/parties/SURF",
      "/parties/UVA",
      "/parties/exchange",
      "/parties/otherCompany",
      "/requestTypes/bare",
      "/requestTypes/sqlDataRequest",
      "/steps/sql-query",
    ]);
  });

  it("renames services to steps", () => {
    const documents = importOriginal(files, dataFiles);
    expect(documentAt(documents, "/requestTypes/sqlDataRequest")).toEqual({
      name: "sqlDataRequest",
      requiredSteps: ["sql-query"],
      optionalSteps: { "sql-graph": "graph" },
    });
  });

  it("makes a steward's demands part of the agreement", () => {
    const documents = importOriginal(files, dataFiles);
    expect(documentAt(documents, "/agreements/UVA")).toMatchObject({
      demandedSteps: { sqlDataRequest: ["sql-anonymize"] },
    });
    expect(documentAt(documents, "/agreements/RUG")).not.toHaveProperty("demandedSteps");
  });

  it("describes each party's files, with what the original has in its code", () => {
    expect(documentAt(importOriginal(files, dataFiles), "/dataSets/UVA/wageGap")).toEqual({
      name: "wageGap",
      party: "UVA",
      type: "csv",
      delimiter: ";",
      tables: [
        { name: "Aanstellingen", file: "Aanstellingen_UVA.csv", columns: [{ name: "Ingdatdv", anonymize: "year" }] },
        { name: "Personen", file: "Personen_UVA.csv", columns: [{ name: "Gebdat", anonymize: "year" }] },
      ],
      measure: { column: "Salschal", groupBy: ["Geslacht"] },
    });
    expect(documentAt(importOriginal(files, dataFiles), "/dataSets/RUG/other")).not.toHaveProperty("measure");
  });

  it("gives the parties their roles, and none to a steward without data", () => {
    const documents = importOriginal(
      files,
      dataFiles.filter((file) => !file.includes("RUG")),
    );
    expect(documentAt(documents, "/parties/UVA")).toEqual({ name: "UVA", roles: ["dataProvider"] });
    expect(documentAt(documents, "/parties/SURF")).toEqual({ name: "SURF", roles: ["computeProvider"] });
    expect(documentAt(documents, "/parties/exchange")).toEqual({ name: "exchange", roles: ["exchange"] });
    expect(documentAt(documents, "/parties/RUG")).toBeUndefined();
  });

  it.each(Object.keys(files))("does without %s", (name) => {
    const { [name as keyof typeof files]: _, ...rest } = files;
    importOriginal(rest, dataFiles).forEach(check);
  });

  it("does without anything", () => {
    expect(importOriginal({}, []).map(({ key }) => key)).toEqual(["/parties/exchange"]);
  });
});

const published = `${process.env.DYNAMOS_SHARED ?? "../shared"}/datasets/wage-gap`;
const here = existsSync(published);
if (!here) {
  console.log(`skipped: the publishers' configuration is not at ${published}`);
}

describe.skipIf(!here)("the publishers' configuration", () => {
  it("is imported as valid documents of the parties that it names", () => {
    const names = readdirSync(published);
    const json = names.filter((name) => name.endsWith(".json"));
    const parsed = Object.fromEntries(
      json.map((name) => [name, JSON.parse(readFileSync(`${published}/${name}`, "utf8"))]),
    );
    const documents = importOriginal(parsed, names);
    documents.forEach(check);
    expect(documents.map(({ key }) => key)).toEqual([
      ...["RUG", "UVA", "VU"].map((name) => `/agreements/${name}`),
      ...["computeToData", "dataThroughTtp"].map((name) => `/archetypes/${name}`),
      ...["UVA", "VU"].map((name) => `/dataSets/${name}/wageGap`),
      ...["SURF", "UVA", "VU", "exchange", "otherCompany"].map((name) => `/parties/${name}`),
      ...["genericRequest", "sqlDataRequest"].map((name) => `/requestTypes/${name}`),
      ...["aggregate", "algorithm", "anonymize", "graph", "query"].map((name) => `/steps/sql-${name}`),
    ]);
  });
});
