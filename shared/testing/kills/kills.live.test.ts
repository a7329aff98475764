/** The short form of the kill runs, and what their plan is made of. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { planOf } from "./plan.ts";
import { runKills } from "./run-kills.ts";

const never = { restartEvery: 0, processesEvery: 0 };

describe("the plan of a run", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(planOf(1, 7, never)).toEqual(planOf(1, 7, never));
    expect(planOf(2, 7, never)).not.toEqual(planOf(1, 7, never));
    expect(planOf(1, 8, never)).not.toEqual(planOf(1, 7, never));
  });

  it("kills in every way, in every gap, under both archetypes", () => {
    const runs = Array.from({ length: 300 }, (_, index) => planOf(1, index, { restartEvery: 100, processesEvery: 10 }));
    const kills = new Set(
      runs.flatMap((run) => run.kills.map((kill) => (kill.kind === "sidecar" ? kill.gap : kill.kind))),
    );
    const ways = ["worker", "cut", "slow", "half-open", "process"];
    const gaps = ["taken", "invoked", "chunk", "published", "confirmed", "dropped", "acknowledged"];
    expect([...kills].sort()).toEqual([...ways, ...gaps].sort());
    expect(new Set(runs.flatMap(({ queries }) => queries.map(({ archetype }) => archetype))).size).toBe(2);
    expect(runs.filter(({ restartsBroker }) => restartsBroker)).toHaveLength(3);
  });
});

describe.skipIf(rabbitmqServer() === undefined)("queries under kills", () => {
  let rabbitmq: RabbitMq;
  // Of its own: what is left on it in the end is counted.
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
  }, 90_000);
  afterAll(() => rabbitmq?.stop(), 30_000);

  it("end once each, with the right numbers or by name, and leave nothing behind", async () => {
    const runs = 25;
    const tally = await runKills({ rabbitmq, seed: 20_251, runs, lanes: 4, ...never, onRun: () => {} });
    expect(tally).toMatchObject({ runs, lost: [], doubled: [], stuck: [], wrong: [], left: [] });
    const named = Object.values(tally.named).reduce((sum, failures) => sum + failures, 0);
    expect(tally.right + named).toBe(tally.queries);
    expect(tally.right).toBeGreaterThan(runs / 2);
    expect(Object.keys(tally.kills).length).toBeGreaterThan(5);
  }, 240_000);
});
