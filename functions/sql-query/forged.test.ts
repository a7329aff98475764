/** The step's own look, where no sidecar has looked before it: whatever is forged, nothing is opened. */
import { describe, expect, it } from "vitest";
import { approvalError } from "#approval/verify";
import type { Envelope, Knowledge, Relation } from "#contracts";
import { approvalEnvironment, testApprovalKeys } from "#testing/approval-keys";
import { callStep } from "#testing/call-step";
import { type Forgery, forgedAtHome, forgedForUnion } from "#testing/forgeries";
import { startedChain } from "#testing/started-chain";
import { changeRelation, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import step from "./handler.ts";

const nowMs = 50_000;
/** Whatever gets as far as the data ends with this: there is none. */
const opened = "DATA_UNREADABLE";
const context = {
  environment: { ...approvalEnvironment, data_dir: "/nowhere" },
  now: () => nowMs,
  temporaryFolder: "",
};

/** UVA's first hop, as the exchange starts it. */
function genuine(aggregate: boolean, knowledge = wageGapKnowledge()): Envelope {
  const query = wageGapQuery({
    sql: "SELECT Geslacht FROM Personen",
    providers: aggregate ? ["UVA", "VU"] : ["UVA"],
    options: { aggregate },
    algorithm: { name: "average" },
    purpose: "wages",
  });
  return startedChain("UVA", { query, knowledge, nowMs, deadlineMs: 99_000 });
}

const run = (envelope: Envelope) => callStep(step, envelope, context);

/** What follows from the catalogue is the sidecar's to see, which has all of it; so are others' approvals. */
const seenHere = ({ code, what }: Forgery) => code !== "REVOKED" && !what.startsWith("a second approval");

describe.each([
  ["at home", false, forgedAtHome.filter(seenHere)],
  ["for a union", true, forgedForUnion.filter(seenHere)],
] as const)("sql-query %s", (_, aggregate, forgeries) => {
  it("opens the data under an approval that holds", async () => {
    await expect(run(genuine(aggregate))).rejects.toMatchObject({ label: opened });
  });

  it.each([...forgeries])("refuses $what, and opens nothing", async ({ forge }) => {
    await expect(run(forge(genuine(aggregate)))).rejects.toMatchObject({
      label: expect.stringMatching(/^(APPROVAL_INVALID|DENIED|ENVELOPE_INVALID)$/),
    });
  });
});

describe("sql-query after a change of its party's agreement", () => {
  const changes: [string, (knowledge: Knowledge) => unknown, string][] = [
    [
      "the user is removed",
      (all) => Object.assign(own(all), { relations: {} }),
      "UVA has no agreement with researcher@example.org",
    ],
    ["the agreement is removed", (all) => all.agreements.splice(0), "UVA has no agreement with anybody"],
    [
      "a column is denied",
      relation({ deniedColumns: { tables: [{ table: "Personen", columns: ["Naam"] }] } }),
      "UVA: the denied columns have changed",
    ],
    [
      "rows are filtered",
      relation({ rowFilters: [{ table: "Personen", predicate: "true" }] }),
      "UVA: the filter of rows has changed",
    ],
    [
      "the archetype is removed",
      relation({ allowedArchetypes: ["dataThroughTtp"] }),
      "UVA: computeToData is not allowed any more",
    ],
    ["the purpose is removed", relation({ purposes: { names: ["teaching"] } }), "UVA does not allow the purpose wages"],
    ["it has ended", relation({ validUntilMs: nowMs }), "UVA allows nothing from"],
    [
      "a quota of nothing is set",
      relation({ queriesPerPeriod: { max: 0, periodMs: 1_000 } }),
      "UVA allows no query in 1 second",
    ],
  ];

  it.each(changes)("refuses with REVOKED and why: %s", async (_, change, reason) => {
    const envelope = genuine(false);
    change(envelope.knowledge as Knowledge);
    await expect(run(envelope)).rejects.toMatchObject({ label: "REVOKED", message: expect.stringContaining(reason) });
  });

  it.each([
    ["another archetype is removed", relation({ allowedArchetypes: ["computeToData"] })],
    ["more is allowed", relation({ allowedComputeProviders: ["SURF", "otherCompany"] })],
    ["it is written again", (all: Knowledge) => Object.assign(own(all), { revision: 99 })],
    ["a quota is set that others have used up", relation({ queriesPerPeriod: { max: 1, periodMs: 1_000 } })],
  ])("goes on when %s", async (_, change) => {
    const envelope = genuine(false);
    change(envelope.knowledge as Knowledge);
    await expect(run(envelope)).rejects.toMatchObject({ label: opened });
  });

  function own(knowledge: Knowledge) {
    const [agreement] = knowledge.agreements;
    if (agreement?.name !== "UVA") throw new RangeError("UVA has no agreement");
    return agreement;
  }

  function relation(change: Partial<Relation>) {
    return (knowledge: Knowledge) => changeRelation(knowledge, "UVA", change);
  }
});

it("holds for the message that it came with, and for no other of the same query", () => {
  const [home, union] = [genuine(false), genuine(true)];
  const keys = { keys: testApprovalKeys, nowMs };
  const [approval] = home.approvals;
  if (approval === undefined) throw new RangeError("there is no approval");
  expect(approvalError(approval, home, keys)).toBeUndefined();
  expect(approvalError(approval, union, keys)?.label).toBe("APPROVAL_INVALID");
});
