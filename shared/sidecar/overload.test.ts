/** Full queues, end to end: who comes too late is told at once, the others are served. Over both brokers. */
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { limits } from "#domain/limits";
import { type ActedWorld, actedParties, actedQueues, documentOf, openActedWorld } from "#testing/acted-world";
import { brokerLinks } from "#testing/broker-links";
import { openTokens } from "#testing/tokens";
import { createApp } from "../../functions/orchestrator/app.ts";

const messagesMax = 3;
/** So many find a place: in hand, or in the queue. */
const placesMax = limits.concurrencyDefault + messagesMax;
const asked = 12;

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

describe.each([
  ["the in-memory broker", "memory"],
  ["RabbitMQ", inject("amqpUrl")],
])("a full queue over %s", (_, url) => {
  describe.skipIf(url === "")("", () => {
    const cleanup: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const clean of cleanup.splice(0).reverse()) await clean();
    });

    async function opened(beforePolicy?: () => Promise<unknown>): Promise<ActedWorld> {
      const links = brokerLinks(url, { queueLimits: { messagesMax }, queues: actedQueues, parties: actedParties });
      cleanup.push(() => links.remove());
      const acted = await openActedWorld(links.connect, beforePolicy === undefined ? {} : { beforePolicy });
      cleanup.push(() => acted.world.close());
      return acted;
    }

    it("of the first step is 503 OVERLOADED with Retry-After for a client, at once; the others get their answers", async () => {
      const { open, opened: isOpen } = gate();
      const { world } = await opened(() => isOpen);
      const tokens = await openTokens();
      cleanup.push(() => tokens.remove());
      const { verify } = tokens;
      const app = createApp({ api: world.api, exchangeParty: "exchange", log: createMemoryLog(), verify });
      cleanup.push(() => app.close());
      const body = JSON.stringify({ providers: ["UVA"], sql: "SELECT 1" });
      const headers = { "content-type": "application/json", ...(await tokens.headerOf()) };
      const refused: Response[] = [];
      const answers = Array.from({ length: asked }, async () => {
        const response = await app.fetch(new Request("http://h/v1/queries", { method: "POST", headers, body }));
        if (response.status === 503) refused.push(response);
        return response.status;
      });
      // While nothing moves: they are told that they can't be served now, not that they were not.
      await expect.poll(() => refused.length).toBeGreaterThanOrEqual(asked - placesMax);
      for (const response of refused) {
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
        expect(await response.json()).toMatchObject({
          code: "OVERLOADED",
          detail: "the queue of exchange.policy-enforcer is full",
        });
      }
      open();
      const statuses = await Promise.all(answers);
      expect(statuses.filter((status) => status === 200)).toHaveLength(asked - refused.length);
      expect(refused.length).toBeLessThan(asked);
    });

    it("in the middle of a chain fails the query by name, at once; the others get their answers", async () => {
      const { open, opened: isOpen } = gate();
      const { world, behaviours } = await opened();
      behaviours["UVA sql-anonymize"] = async () => {
        await isOpen;
        return documentOf(Buffer.from("{}"));
      };
      const refused: unknown[] = [];
      const statuses: number[] = [];
      // One after the other into the chain, so that only the queue in question is full.
      const running = [];
      for (let i = 0; i < asked; i++) {
        const answer = world.ask({ sql: `SELECT ${i}`, providers: ["UVA"] }).then(({ status, body: problem }) => {
          statuses.push(status);
          if (status !== 200) refused.push(problem);
        });
        running.push(answer);
        await new Promise((resume) => setTimeout(resume, 20));
      }
      await expect.poll(() => refused.length).toBeGreaterThanOrEqual(asked - placesMax);
      for (const problem of refused) {
        expect(problem).toMatchObject({ code: "OVERLOADED", failed: [{ party: "UVA", step: "sql-anonymize" }] });
      }
      open();
      await Promise.all(running);
      expect(statuses.filter((status) => status === 200)).toHaveLength(asked - refused.length);
    });

    it("of a provider ends the gather that waits for its part, at once", async () => {
      const { open, opened: isOpen } = gate();
      const { world, behaviours } = await opened();
      behaviours["VU sql-anonymize"] = async () => {
        await isOpen;
        return documentOf(Buffer.from("{}"));
      };
      let refused = 0;
      const running = [];
      for (let i = 0; i < asked; i++) {
        const query = { sql: `SELECT ${i}`, providers: ["UVA", "VU"], options: { aggregate: true } };
        const answer = world.ask(query, { timeoutMs: 60_000 }).then(({ status, body }) => {
          if (status === 200) return;
          refused += 1;
          expect(body.failed).toEqual(
            expect.arrayContaining([expect.objectContaining({ party: "VU", code: "OVERLOADED" })]),
          );
        });
        running.push(answer);
        await new Promise((resume) => setTimeout(resume, 20));
      }
      await expect.poll(() => refused).toBeGreaterThanOrEqual(asked - placesMax);
      // Long before the deadline of those that failed.
      await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(asked - refused);
      open();
      await Promise.all(running);
      await expect.poll(() => world.sidecars.get("SURF")?.status().openGathers).toBe(0);
    });
  });
});
