import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ActedWorld, openActedWorld } from "#testing/acted-world";
import { type KnowledgeApp, openKnowledgeApp } from "#testing/knowledge-app";
import { demoUser } from "../../cli/demo/documents.ts";
import type { Caller } from "./caller.ts";
import { knowledgeApi } from "./knowledge-api.ts";
import { policyApi } from "./policy-api.ts";

const caller: Caller = {
  subject: "s-1",
  user: { id: "", name: demoUser },
  roles: ["steward", "researcher"],
  party: "VU",
};
const [puts, queries] = [1_000, 1_000];

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
type Json = any;

let acted: ActedWorld;
let documents: KnowledgeApp;
let policy: KnowledgeApp;

beforeEach(async () => {
  acted = await openActedWorld();
  documents = openKnowledgeApp(knowledgeApi, caller, acted.world.knowledge);
  policy = openKnowledgeApp(policyApi, caller, acted.world.knowledge);
});
afterEach(() => acted.world.close());

/** `count` times, some at once. All others have their turn in between: nothing here waits for the world by itself. */
async function repeat(count: number, atOnce: number, once: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      await once(next++);
      await wait(1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

it("no verdict is computed on another revision than the one that it names, while 1,000 changes and 1,000 queries run at once", async () => {
  /** What the agreement said, by revision: a compute provider that stands in the verdict, and stops no query. */
  const said = new Map<number, string>();
  const seeded = await acted.world.knowledge.get("/agreements/VU");
  const original = JSON.parse(seeded?.value ?? "{}");
  said.set(seeded?.revision ?? 0, "SURF");
  const verdicts: { revision: number; named: string; by: string }[] = [];
  const note = (by: string, found: Json[] | undefined) => {
    for (const { allowed, agreementRevision: revision, computeProviders } of found ?? []) {
      if (allowed) verdicts.push({ revision, named: computeProviders.join(), by });
    }
  };
  let conflicts = 0;

  async function change(index: number): Promise<void> {
    const names = ["SURF", `X${index}`];
    const agreement = structuredClone(original);
    agreement.computeProviders = names;
    agreement.relations[demoUser].allowedComputeProviders = names;
    for (;;) {
      const etag = (await documents.send("GET", "/agreements/VU")).headers.get("etag") ?? "";
      const put = await documents.send("PUT", "/agreements/VU", agreement, { "if-match": etag });
      if (put.status === 200) {
        said.set(Number((put.headers.get("etag") ?? "").slice(1, -1)), names.join());
        return;
      }
      expect(put.status).toBe(412);
      conflicts += 1;
      await wait(1);
    }
  }

  const statuses = new Map<number, number>();
  await Promise.all([
    repeat(puts, 4, change),
    repeat(queries, 16, async () => {
      const { status, body } = await acted.world.ask({ providers: ["VU"], sql: "SELECT 1" });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      note("run", (body as Json).verdicts);
    }),
    repeat(queries, 4, async () => {
      const explained: Json = await (await policy.send("POST", "/explain", { providers: ["VU"] })).json();
      expect(explained.revision).toBeGreaterThanOrEqual(explained.verdicts[0].agreementRevision);
      note("explain", explained.verdicts);
    }),
  ]);

  expect(said.size).toBe(puts + 1);
  const wrong = verdicts.filter(({ revision, named }) => said.get(revision) !== named);
  const revisionsOf = (by: string) =>
    new Set(verdicts.filter((one) => one.by === by).map(({ revision }) => revision)).size;
  process.stdout.write(
    `${puts} changes (${conflicts} had to be tried again), ${queries} queries (${[...statuses].map(([status, n]) => `${n} × ${status}`).join(", ")}), ${verdicts.length} verdicts over ${revisionsOf("run")} and ${revisionsOf("explain")} revisions, ${wrong.length} on another than they name\n`,
  );
  expect(wrong).toEqual([]);
  expect(revisionsOf("run")).toBeGreaterThan(50);
  expect(revisionsOf("explain")).toBeGreaterThan(50);
}, 120_000);
