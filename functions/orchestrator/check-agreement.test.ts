import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWorld, type World } from "#testing/world";
import agreementCheck from "../agreement-check/handler.ts";
import { checkAgreement } from "./check-agreement.ts";

let world: World;
const dataSet = {
  name: "wageGap",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [{ name: "Personen", file: "Personen.csv", columns: [{ name: "Geslacht" }] }],
};

beforeAll(async () => {
  world = await openWorld({
    documents: [{ key: "/dataSets/UVA/wageGap", value: dataSet }],
    steps: { exchange: [agreementCheck] },
  });
});
afterAll(() => world.close());

const relation = (rowFilters?: Record<string, string>) => ({
  requestTypes: [],
  dataSets: [],
  allowedArchetypes: [],
  allowedComputeProviders: [],
  ...(rowFilters === undefined ? {} : { rowFilters }),
});
const check = (relations: Record<string, unknown>) => checkAgreement(world.api, "exchange", { name: "UVA", relations });

describe("checking an agreement's row filters", () => {
  it("finds nothing wrong with filters that can be carried out", async () => {
    expect(await check({ "a@b": relation({ Personen: "Geslacht = 'V'" }), "c@d": relation() })).toEqual([]);
  });

  it("says by path what is wrong, with the data sets of that party at hand", async () => {
    const reasons = await check({ "a@b": relation({ Personen: "Geslach = 'V'" }), "c@d": relation({ x: "1 +" }) });
    expect(reasons).toMatchObject([
      { clause: 'relations["a@b"].rowFilters.Personen', message: expect.stringContaining("did you mean Geslacht?") },
      { clause: 'relations["c@d"].rowFilters.x', message: expect.stringContaining("syntax error") },
    ]);
  });

  it("asks nobody where there is no filter", async () => {
    const api = new Proxy({} as typeof world.api, {
      get: () => {
        throw new Error("asked");
      },
    });
    expect(await checkAgreement(api, "exchange", { name: "UVA", relations: { "a@b": relation() } })).toEqual([]);
  });
});
