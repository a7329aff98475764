/** Asks a made-up query and says how it ended, as whoever asked it sees it. */
import { randomUUID } from "node:crypto";
import { ErrorCode, type Result } from "#contracts";
import { DynamosError, labelOf } from "#errors";
import type { SidecarApi } from "#sidecar/client";
import type { Answer } from "../../../functions/orchestrator/answer.ts";
import { runQuery } from "../../../functions/orchestrator/run-query.ts";
import { apiOf, exchangeParty } from "../asker.ts";
import { type Digest, digestOf, type MadeUpQuery, madeUpBytes, sqlOf } from "./made-up-steps.ts";
import type { MortalWorld } from "./world.ts";

export interface Asked extends MadeUpQuery {
  readonly archetype: "computeToData" | "dataThroughTtp";
}

export interface End {
  readonly queryId: string;
  /** `right`, `WRONG`, or what failed: the label of the first failure that explains it. */
  readonly kind: string;
  /** Failures, refusals or what is wrong. */
  readonly detail: string;
  readonly ms: number;
}

export const providers = ["UVA", "VU"] as const;

/** @param of who takes part */
export function expectedOf(asked: Asked, of: readonly string[] = providers): Readonly<Record<string, Digest>> {
  const parts = of.map((party) => madeUpBytes(party, asked));
  if (asked.archetype === "dataThroughTtp") return { SURF: digestOf(parts) };
  return Object.fromEntries(of.map((party, index) => [party, digestOf(parts.slice(index, index + 1))]));
}

export async function askMadeUp(
  world: Pick<MortalWorld, "asker" | "knowledge">,
  asked: Asked,
  timeoutMs: number,
): Promise<End> {
  const queryId = randomUUID();
  const startedAt = performance.now();
  const api = apiOf(world.asker.sidecar, world.knowledge);
  const answer = await runQuery({
    api,
    exchangeParty,
    query: {
      id: queryId,
      requestType: "sqlDataRequest",
      user: { id: "", name: "researcher@example.org" },
      providers: [...providers],
      sql: sqlOf(asked),
      dataSets: [],
      algorithm: undefined,
      options: asked.archetype === "dataThroughTtp" ? { aggregate: true } : {},
      purpose: "",
      reuse: undefined,
    },
    deadlineMs: Date.now() + timeoutMs,
    traceparent: "",
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const end = await endOf(answer, asked, api);
  return { queryId, ...end, ms: performance.now() - startedAt };
}

async function endOf(answer: Answer, asked: Asked, api: SidecarApi): Promise<Pick<End, "kind" | "detail">> {
  if (answer.problem !== undefined) {
    return { kind: String(answer.problem.code), detail: String(answer.problem.detail) };
  }
  const { results, failed, record } = answer;
  const refused = JSON.stringify(record.refused);
  const offline = /OFFLINE/.test(refused);
  // Of one that is away nothing is asked, and the others' part is the whole.
  const expected = expectedOf(
    asked,
    providers.filter((party) => !(offline && refused.includes(`"provider":"${party}"`))),
  );
  for (const { party, result } of results) {
    const digest = await digestOfResult(result, api);
    if (typeof digest === "string") return { kind: digest, detail: `${party}: its table can't be read` };
    if (JSON.stringify(digest) !== JSON.stringify(expected[party])) {
      return { kind: "WRONG", detail: `${party} answered ${JSON.stringify(digest)}` };
    }
  }
  const [first] = failed;
  if (first !== undefined) return { kind: labelOf(first.code), detail: `${first.party}: ${first.message}` };
  const missing = Object.keys(expected).filter((party) => !results.some((result) => result.party === party));
  const twice = results.length > new Set(results.map(({ party }) => party)).size;
  if (offline && !twice) return { kind: "PROVIDER_OFFLINE", detail: refused };
  if (missing.length === 0 && !twice) return { kind: "right", detail: "" };
  return { kind: "WRONG", detail: `${results.length} results, none of ${missing.join(", ")}: ${refused}` };
}

const readsMax = 20;
const readAgainMs = 250;

/** A connection may be lost while a table is read: then again from its start. @returns the label of what it fails with */
async function digestOfResult({ document, table }: Result, api: SidecarApi): Promise<Digest | string> {
  if (document !== undefined) return JSON.parse(Buffer.from(document.body).toString());
  const name = table?.transfer?.name;
  if (name === undefined) return digestOf(table === undefined ? [] : [table.arrowIpc]);
  for (let tries = 1; ; tries++) {
    try {
      const parts: Uint8Array[] = [];
      for await (const part of api.readTransfer(name, new AbortController().signal)) parts.push(part);
      if (parts.length === table?.transfer?.chunks) {
        await api.dropTransfer(name);
        return digestOf(parts);
      }
    } catch (error) {
      if (!(error instanceof DynamosError) || error.code !== ErrorCode.BROKER_UNAVAILABLE) return labelOfError(error);
    }
    if (tries === readsMax) return labelOf(ErrorCode.BROKER_UNAVAILABLE);
    await new Promise((resume) => setTimeout(resume, readAgainMs));
  }
}

function labelOfError(error: unknown): string {
  return error instanceof DynamosError ? error.label : labelOf(ErrorCode.INTERNAL);
}
