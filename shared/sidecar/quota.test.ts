/** Quotas of agreements, through whole queries. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agreementKey } from "#domain/knowledge-keys";
import { type ActedWorld, openActedWorld } from "#testing/acted-world";

const user = "researcher@example.org";
let acted: ActedWorld;

beforeAll(async () => {
  acted = await openActedWorld();
  const relation = {
    requestTypes: ["sqlDataRequest"],
    dataSets: ["wageGap"],
    allowedArchetypes: ["computeToData"],
    allowedComputeProviders: ["SURF"],
    queriesPerPeriod: { max: 1, period: "P30D" },
  };
  const agreement = { name: "UVA", relations: { [user]: relation }, archetypes: ["computeToData"] };
  await acted.world.knowledge.put(agreementKey("UVA"), JSON.stringify(agreement));
});
afterAll(() => acted.world.close());

describe("a quota", () => {
  it("that is used up refuses that provider alone, and is not asked again while the query runs", async () => {
    const ask = () => acted.world.ask({ providers: ["UVA", "VU"], sql: "SELECT 1" });
    expect(await ask()).toMatchObject({ status: 200, body: { refused: [] } });
    const { status, body } = await ask();
    expect({ status, refused: body.refused }).toMatchObject({
      status: 200,
      refused: [{ provider: "UVA", code: "RATE_LIMITED" }],
    });
    expect((body.results as { party: string }[]).map(({ party }) => party)).toEqual(["VU"]);
    expect(acted.calls["VU sql-query"]).toBe(2);
  });
});
