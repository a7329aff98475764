/** What a knowledge base that is away for long leaves in the log. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createMemoryClock } from "#adapters/memory/clock";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Knowledge } from "#ports/knowledge";
import { openKnowledgeCache } from "./knowledge-cache.ts";

it("is said at once, then every half a minute with how often it was, and anew after it was there again", async () => {
  const [clock, log] = [createMemoryClock(), createMemoryLog()];
  const store = createMemoryKnowledge({ clock });
  let isAway = false;
  let tries = 0;
  const knowledge: Knowledge = Object.assign(Object.create(store), {
    list: async (prefix: string) => {
      tries += 1;
      if (isAway) throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "it does not answer");
      return store.list(prefix);
    },
  });
  const watches = new Set<{ close(): void }>();
  Object.assign(knowledge, {
    watch: (...words: Parameters<Knowledge["watch"]>) => {
      const watch = store.watch(...words);
      watches.add(watch);
      return watch;
    },
  });
  const cache = await openKnowledgeCache({ knowledge, exchangeParty: "exchange", clock, log });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += limits.knowledgeRetryMs) {
      clock.turn(limits.knowledgeRetryMs);
      await turn();
    }
  };
  const lose = async () => {
    isAway = true;
    for (const watch of watches) watch.close();
    await turn();
  };
  const said = () => log.lines.map(({ message, fields }) => [message, fields.times]);
  const away = "the knowledge base can't be listed";

  await lose();
  await pass(limits.repeatedLogMs - limits.knowledgeRetryMs);
  expect(said()).toEqual([[away, undefined]]);
  await pass(2 * limits.repeatedLogMs);
  const perPeriod = limits.repeatedLogMs / limits.knowledgeRetryMs;
  expect(said()).toEqual([[away, undefined], ...[1, 2].map(() => [away, perPeriod])]);
  expect(tries).toBeGreaterThan(2 * perPeriod);

  isAway = false;
  await pass(limits.knowledgeRetryMs);
  await lose();
  await pass(limits.knowledgeRetryMs);
  expect(said().slice(3)).toEqual([[away, undefined]]);
  cache.close();
  await store.close();
});
