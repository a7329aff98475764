/** A sidecar that answers every query at once, with tables of any size: for tests of what becomes of an answer. */
import { createHash } from "node:crypto";
import {
  type Envelope,
  ErrorCode,
  type Failure,
  type Plan,
  type Reply,
  type Result,
  Role,
  type Table,
} from "#contracts";
import { DynamosError } from "#errors";
import type { SidecarApi } from "#sidecar/client";

type Bytes = () => AsyncIterable<Uint8Array>;

export interface AnsweringSidecar extends SidecarApi {
  /** What the parties answer from now on. */
  answers: Readonly<Record<string, Partial<Result> | Failure>>;
  /** While set, queries run until it resolves. */
  hold: Promise<void> | undefined;
  readonly dropped: string[];
  readonly cancelled: string[];
  /** Readers of transfers at this moment. */
  reading: number;
  /** The same table as a transfer: read in two passes, never held. */
  transferred(name: string, table: Pick<Table, "arrowIpc" | "rows">, bytes: Bytes): Promise<Table>;
}

export function answeringSidecar(): AnsweringSidecar {
  const transfers = new Map<string, Bytes>();
  const sidecar: AnsweringSidecar = {
    answers: {},
    hold: undefined,
    dropped: [],
    cancelled: [],
    reading: 0,
    transferred: async (name, { arrowIpc, rows }, bytes) => {
      transfers.set(name, bytes);
      const hash = createHash("sha256");
      let chunks = 0;
      let length = 0;
      for await (const chunk of bytes()) {
        hash.update(chunk);
        chunks += 1;
        length += chunk.length;
      }
      return { arrowIpc, rows, transfer: { name, chunks, bytes: length, sha256: hash.digest() } };
    },
    request: async function* (envelope, signal) {
      const { answers, hold } = sidecar;
      yield* replies(envelope, {});
      const left = new Promise((gone) => signal.addEventListener("abort", gone, { once: true }));
      if (hold !== undefined) await Promise.race([hold, left]);
      if (!signal.aborted) yield* replies(envelope, answers);
    },
    recordReuse: async () => {},
    readRecords: async function* () {},
    readTransfer: async function* (name, signal) {
      const bytes = transfers.get(name);
      if (bytes === undefined) throw new DynamosError(ErrorCode.TRANSFER_LOST, `there is no transfer ${name}`);
      sidecar.reading += 1;
      try {
        for await (const chunk of bytes()) {
          if (signal.aborted) throw new DynamosError(ErrorCode.CANCELLED, "nobody reads this transfer any more");
          yield chunk;
        }
      } finally {
        sidecar.reading -= 1;
      }
    },
    writeTransfer: async ({ id, chunks }) => {
      transfers.set(`transfer.exchange.exchange.${id}`, async function* () {
        yield* chunks;
      });
    },
    renewTransfer: async () => {},
    dropTransfer: async (name) => {
      transfers.delete(name);
      sidecar.dropped.push(name);
    },
    cancel: async (queryId) => void sidecar.cancelled.push(queryId),
    applied: async () => ({ applied: [], waiting: [] }),
    get: async () => undefined,
    list: async () => ({ entries: [], revision: 1 }),
    put: async () => 1,
    delete: async () => 1,
    isReady: async () => true,
    close: () => {},
  };
  return sidecar;
}

/** The plan, then the end of each party's chain; of no party: the plan alone. */
function* replies({ queryId, query }: Envelope, answers: AnsweringSidecar["answers"]): Generator<Reply> {
  const parties = query?.providers ?? [];
  const common = { queryId, attempt: 1, trail: [] };
  const plan: Plan = {
    queryId,
    attempt: 1,
    choices: [],
    verdicts: [],
    loads: [],
    chains: parties.map((party) => ({
      id: party,
      party,
      role: Role.ALL,
      archetype: "computeToData",
      steps: ["sql-query"],
      providers: [party],
      gatherAt: "",
    })),
  };
  yield { ...common, id: "plan", party: "exchange", chain: "", content: { $case: "plan", value: plan } };
  for (const [party, answer] of Object.entries(answers)) {
    const content: Reply["content"] =
      "code" in answer
        ? { $case: "failure", value: answer }
        : { $case: "result", value: { table: undefined, chart: undefined, document: undefined, ...answer } };
    yield { ...common, id: party, party, chain: party, content };
  }
}
