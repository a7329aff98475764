/** A whole system whose stewards change their mind: what they, the researcher and who looks at the records need. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { fieldsOf, storedLines } from "../../cli/audit/stored-records.ts";
import { type AnsweredQuery, ask, type QueryBody } from "../../cli/commands/ask.ts";
import { type Called, callOrchestrator } from "../../cli/commands/call-orchestrator.ts";
import { type BrokerTap, openBrokerTap } from "./broker-tap.ts";
import { type RabbitMq, startRabbitmq } from "./rabbitmq.ts";
import { openRealSystem, type RealSystem } from "./real-system.ts";
import { q1 } from "./wage-gap-data.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface Change {
  /** Of the agreement from now on. */
  readonly revision: number;
  /** When its request was sent, as `performance.now()` says. */
  readonly sentAtMs: number;
}

export interface PolicyWorld {
  readonly real: RealSystem;
  /** Of this system alone, where its broker is one: others would take its messages. */
  readonly rabbitmq: RabbitMq | undefined;
  readonly tap: BrokerTap | undefined;
  /** Holds `records`, and goes with the world. */
  readonly folder: string;
  /** How long each change of an agreement waited for its answer, and how long what it stops went on. */
  readonly putMs: number[];
  readonly stopMs: number[];
  /** By the researcher: average salary scales at UVA and VU, where nothing else is said. */
  query(more?: Partial<QueryBody>): Promise<AnsweredQuery>;
  /** @param path below `/v1/jobs` */
  job(method: string, path: string, body?: unknown): Promise<Called>;
  metrics(): Promise<string>;
  /**
   * Changes the researcher's relation, as it was seeded, and waits until every sidecar says that it holds.
   *
   * @param change undefined: there is no relation any more
   * @param more of the agreement
   */
  agree(party: string, change: object | undefined, more?: object): Promise<Change>;
  /** Both agreements as they were seeded, where they were changed. */
  restore(): Promise<void>;
  /** What a party has on record about a query, in its order. */
  recordsOf(party: string, queryId: unknown): Promise<Fields[]>;
  close(): Promise<void>;
}

export const researcher = "researcher@example.org";
export const both = ["VU", "UVA"];
export const averages = { providers: both, sql: q1, algorithm: "average" };

/** @param sidecars `processes`: over a RabbitMQ of its own */
export async function openPolicyWorld(sidecars: "in-process" | "processes"): Promise<PolicyWorld> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return { ...(await openParts(sidecars, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openParts(
  sidecars: "in-process" | "processes",
  closers: (() => Promise<void>)[],
): Promise<Omit<PolicyWorld, "close">> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-policy-"));
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const records = join(folder, "records");
  const rabbitmq = sidecars === "processes" ? await startRabbitmq() : undefined;
  closers.push(async () => rabbitmq?.stop());
  const broker = rabbitmq?.url ?? "memory";
  const real = await openRealSystem({ broker, sidecars, recordsFolder: records });
  closers.push(real.stop);
  const tap = rabbitmq && (await openBrokerTap(rabbitmq.url));
  closers.push(async () => tap?.close());
  const changed = new Set<string>();
  const putMs: number[] = [];

  const agree: PolicyWorld["agree"] = async (party, change, more = {}) => {
    changed.add(party);
    const sentAtMs = performance.now();
    const { headers } = await real.changeAgreement(party, (agreement) => {
      const { [researcher]: relation, ...others } = agreement.relations as Record<string, Fields>;
      const own = change === undefined ? {} : { [researcher]: { ...relation, ...change } };
      return { ...agreement, relations: { ...others, ...own }, ...more };
    });
    putMs.push(performance.now() - sentAtMs);
    expect(headers.get("dynamos-waiting")).toBeNull();
    expect(headers.get("dynamos-applied")).toBe("SURF, UVA, VU, exchange");
    return { revision: Number(headers.get("etag")?.replaceAll('"', "")), sentAtMs };
  };

  return {
    real,
    rabbitmq,
    tap,
    folder,
    putMs,
    stopMs: [],
    query: (more = {}) => ask(real.orchestrator, { ...averages, ...more }),
    job: (method, path, body) =>
      callOrchestrator(real.orchestrator, method, `jobs${path}`, body === undefined ? {} : { body }),
    metrics: async () => (await fetch(`${real.system.url}/metrics`)).text(),
    agree,
    restore: async () => {
      for (const party of [...changed]) await agree(party, {});
      changed.clear();
    },
    recordsOf: async (party, queryId) => {
      const found: Fields[] = [];
      for await (const { text } of storedLines(records, party)) {
        const fields = fieldsOf(text);
        if (fields.queryId === queryId) found.push(fields);
      }
      return found;
    },
  };
}

export function archetypesOf({ body }: AnsweredQuery): string[] | undefined {
  return (body.archetypes as { archetype: string }[] | undefined)?.map(({ archetype }) => archetype);
}
