import { describe, expect, it } from "vitest";
import { DataSet, ErrorCode } from "#contracts";
import { agreementFromJson } from "#contracts/documents";
import { tableReasons } from "./table-reasons.ts";

const dataSets = [
  { name: "wageGap", party: "UVA", tables: [{ name: "Personen" }, { name: "Aanstellingen" }] },
  { name: "faculties", party: "UVA", tables: [{ name: "Faculties" }] },
  { name: "described", party: "UVA", tables: [{ name: "t", columns: [{ name: "Geslacht", anonymize: "drop" }] }] },
  { name: "empty", party: "UVA", tables: [] },
].map((dataSet) => DataSet.fromPartial(dataSet));

function reasonsFor(names: readonly string[] | null, protection: object) {
  const relation = { requestTypes: [], dataSets: names, allowedArchetypes: [], allowedComputeProviders: [] };
  const agreement = agreementFromJson({ name: "UVA", relations: { "a@b": { ...relation, ...protection } } }, 0);
  return tableReasons(agreement, dataSets);
}

describe("what is protected in tables that there are not", () => {
  it("names each by its path, with what was probably meant or what there is", () => {
    const protection = {
      rowFilters: { "no such": "x = 1" },
      deniedColumns: { Persoonen: ["Geslacht"], personen: ["x"] },
    };
    expect(reasonsFor(["wageGap"], protection)).toEqual([
      {
        code: ErrorCode.UNKNOWN_TABLE,
        clause: 'relations["a@b"].rowFilters["no such"]',
        message: "there is no table no such in wageGap: there are Aanstellingen, Personen",
      },
      {
        code: ErrorCode.UNKNOWN_TABLE,
        clause: 'relations["a@b"].deniedColumns.Persoonen',
        message: "there is no table Persoonen in wageGap: did you mean Personen?",
      },
    ]);
  });

  it("takes a table of any data set of the relation, in whatever case, and of no other", () => {
    const protection = { rowFilters: { FACULTIES: "x = 1", Personen: "y = 1" } };
    expect(reasonsFor(["wageGap", "faculties"], protection)).toEqual([]);
    expect(reasonsFor(["wageGap"], protection)).toMatchObject([{ clause: 'relations["a@b"].rowFilters.FACULTIES' }]);
  });

  it("says nothing of a denied column that is not described: a description may be partial", () => {
    expect(reasonsFor(["described"], { deniedColumns: { t: ["Gebdat"], u: ["x"] } })).toMatchObject([
      { clause: 'relations["a@b"].deniedColumns.u' },
    ]);
  });

  it.each([[["wageGap", "later"]], [["wageGap", "empty"]], [[]], [null]])(
    "says nothing of a relation with the data sets %j, whose tables are not all known",
    (names) => {
      expect(reasonsFor(names, { rowFilters: { elsewhere: "x = 1" } })).toEqual([]);
    },
  );
});
