import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { openTokens } from "#testing/tokens";
import { openWorld, type World } from "#testing/world";
import agreementCheck from "../agreement-check/handler.ts";
import { createApp } from "./app.ts";
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

describe("checking an agreement's row filters and denied columns", () => {
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

  it("says by path which denied columns are of a table that there is not", async () => {
    const denying = { ...relation(), dataSets: ["wageGap"], deniedColumns: { Persoonen: ["Geslacht"] } };
    expect(await check({ "a@b": denying })).toMatchObject([
      {
        clause: 'relations["a@b"].deniedColumns.Persoonen',
        message: expect.stringContaining("did you mean Personen?"),
      },
    ]);
  });

  it("keeps a PUT from storing what can't be carried out, and says why by path", async () => {
    const tokens = await openTokens();
    const { api } = world;
    const app = createApp({ api, exchangeParty: "exchange", log: createMemoryLog(), verify: tokens.verify });
    const put = async (predicate: string) => {
      const bearer = { user: "steward@uva.example", roles: ["steward" as const], party: "UVA" };
      const headers = { "content-type": "application/json", "if-none-match": "*", ...(await tokens.headerOf(bearer)) };
      const body = JSON.stringify({ name: "UVA", relations: { "a@b": relation({ Personen: predicate }) } });
      return app.fetch(new Request("http://h/v1/agreements/UVA", { method: "PUT", headers, body }));
    };
    try {
      const refused = await put("Geslacht = 'V') OR (1 = 1");
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        code: "INVALID_REQUEST",
        errors: [{ path: 'relations["a@b"].rowFilters.Personen' }],
      });
      expect(await world.knowledge.get("/agreements/UVA")).toBeUndefined();
      expect((await put("Geslacht = 'V'")).status).toBe(201);
    } finally {
      await app.close();
      await tokens.remove();
    }
  });

  it("asks nobody where nothing is filtered or denied", async () => {
    const api = new Proxy({} as typeof world.api, {
      get: () => {
        throw new Error("asked");
      },
    });
    expect(await checkAgreement(api, "exchange", { name: "UVA", relations: { "a@b": relation() } })).toEqual([]);
  });
});
