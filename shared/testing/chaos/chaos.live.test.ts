/** The short form of `npm run test:chaos`, and what its plan is made of. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { planOf } from "./plan.ts";
import { runChaos } from "./run-chaos.ts";

describe("the plan of a seed", () => {
  it("is the same each time, and another for another seed", () => {
    expect(planOf(7, 50)).toEqual(planOf(7, 50));
    expect(planOf(8, 50)).not.toEqual(planOf(7, 50));
  });

  it("has every kind of wound, every gap and both archetypes in it", () => {
    const plan = planOf(1, 1_000);
    const wounds = plan.flatMap((run) => run.wounds);
    const kinds = new Set(wounds.map((wound) => (wound.kind === "sidecar" ? wound.gap : wound.kind)));
    expect([...kinds].sort()).toEqual(
      ["broker", "confirmed", "cut", "invoked", "published", "silence", "taken", "worker"].sort(),
    );
    expect(new Set(plan.map(({ query }) => `${query.archetype} ${query.isLarge}`)).size).toBe(4);
  });
});

describe.skipIf(rabbitmqServer() === undefined)("queries while workers, sidecars and connections are killed", () => {
  let rabbitmq: RabbitMq;
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
  }, 90_000);
  afterAll(() => rabbitmq?.stop());

  it("end in one right result or one named failure each, and leave nothing behind", async () => {
    const runs = 25;
    const report = await runChaos({ rabbitmq, seed: 20_261_125, runs, say: () => {} });
    expect(report).toMatchObject({ unanswered: [], stuck: [], wrong: [], leftovers: [] });
    const failures = Object.values(report.failed).reduce((sum, count) => sum + count, 0);
    expect(report.answered + failures).toBe(runs);
    expect(report.answered).toBeGreaterThan(0);
    expect(Object.keys(report.kills).length).toBeGreaterThan(2);
  }, 180_000);
});
