/**
 * A19: more load than the machine can do, over each broker. Each request is answered rightly or sent
 * away early with a time to come back, and what the load took of memory is given back.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { limits } from "#domain/limits";
import { type LoadedSystem, openLoadedSystem } from "#testing/loaded-system";
import { type Answered, measuredPace, type Offered, offer } from "#testing/offered-load";
import { collectGarbage, pidsWith, residentMib } from "#testing/resident-memory";
import { descendantsOf } from "./descendants.ts";
import type { System } from "./start-system.ts";

/** Under way at once while the pace of the machine is measured: what one function takes at once by default. */
const atOnce = limits.concurrencyDefault;
const measured = 24;
const requestsMax = 400;
/** How long each load is offered, unless it is that many requests earlier. */
const offeredS = 4;
/** Above what was there before; a heap grows to its size under load and is not given back at once. */
const growthMibMax = 80;

describe.each([
  ["the in-memory broker", "memory", "in-process"],
  ["RabbitMQ", "rabbitmq", "processes"],
] as const)("A19, over %s", (_, broker, sidecars) => {
  describe.skipIf(broker === "rabbitmq" && inject("amqpUrl") === "")("offered load", () => {
    let loaded: LoadedSystem;
    let request: Offered;
    let perSecond: number;
    let right: string;
    let base: ReadonlyMap<string, number>;

    beforeAll(async () => {
      loaded = await openLoadedSystem({ broker, sidecars });
      request = {
        url: `${loaded.system.url}/function/orchestrator/v1/queries`,
        headers: { "content-type": "application/json", authorization: `Bearer ${loaded.token}` },
        body: JSON.stringify({
          providers: ["UVA", "VU"],
          sql: "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr",
          algorithm: "average",
          timeoutMs: 60_000,
        }),
      };
      const [first] = await offer({ requests: 1, perSecond: 1 }, request);
      right = numbersOf(first as Answered);
      // Warm: whatever a process takes once, it has by now.
      perSecond = await measuredPace(measured, atOnce, request);
      base = memoryOf(loaded.system);
    }, 180_000);

    afterAll(() => loaded?.stop(), 60_000);

    it.each([1, 10, 100])(
      "x%d is answered rightly or sent away early",
      async (times) => {
        const pace = perSecond * times;
        const requests = Math.min(requestsMax, Math.ceil(pace * offeredS));
        const answers = await offer({ requests, perSecond: pace }, request);
        const accepted = answers.filter(({ status }) => status === 200);
        const away = answers.filter(({ status }) => status !== 200);
        expect(new Set(accepted.map(numbersOf))).toEqual(new Set([right]));
        for (const { status, headers, text } of away) {
          // Without an id of a query: none was begun, nothing was done for it before it was sent away.
          const said = { status, code: codeOf(text), after: headers.get("retry-after"), id: headers.get("x-query-id") };
          const after = expect.stringMatching(/^[1-9]\d*$/);
          expect(said).toEqual({ status: 503, code: "OVERLOADED", after, id: null });
        }
      },
      180_000,
    );

    it("takes nothing that it keeps: memory is back near its base", async () => {
      await expect
        .poll(
          () => {
            collectGarbage();
            const now = [...memoryOf(loaded.system)];
            return now.filter(([name, mib]) => mib > (base.get(name) ?? 0) + growthMibMax);
          },
          { timeout: 60_000, interval: 2_000 },
        )
        .toEqual([]);
    }, 90_000);
  });
});

/** MiB by the name of the process: the orchestrator's, and those that hold sidecars. */
function memoryOf(system: System): Map<string, number> {
  const found = new Map<string, number>();
  const own = ["exchange", "SURF", "UVA", "VU"].flatMap((party) => {
    const pid = system.sidecars.pid(party);
    return pid === undefined ? [] : [[`the sidecar of ${party}`, pid] as const];
  });
  const [orchestrator] = pidsWith("/orchestrator/", descendantsOf(process.pid));
  if (orchestrator === undefined) throw new Error("there is no process of the orchestrator");
  for (const [name, pid] of [["orchestrator", orchestrator] as const, ...own]) found.set(name, residentMib(pid));
  if (own.length === 0) found.set("the sidecars in this process", residentMib(process.pid));
  return found;
}

/** What the answer says, without its id and times. */
function numbersOf({ text }: Answered): string {
  const { complete, results } = JSON.parse(text) as { complete: boolean; results: { party: string; rows: unknown }[] };
  return JSON.stringify({ complete, results: results.map(({ party, rows }) => ({ party, rows })) });
}

function codeOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { code?: unknown }).code;
  } catch {
    return text;
  }
}
