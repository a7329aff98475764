/** A function that goes on with the chain's next step, as the process that an image starts. */
import { afterEach, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { pieceKinds, piecesType, readPieces } from "#contracts/pieces";
import { labelOf } from "#errors";
import { type StartedFunction, startFunction } from "#testing/started-function";

const handler = "shared/runtime/testing-steps/fused-first/handler.ts";
let fn: StartedFunction | undefined;
afterEach(async () => {
  await fn?.stop();
  fn = undefined;
});

interface Asked {
  readonly sql?: string;
  readonly goesOnWith?: string[];
  readonly accept?: string;
  readonly deadlineMs?: number;
}

async function ask(asked: Asked = {}, signal?: AbortSignal) {
  const { sql = "", goesOnWith = ["fused-second"], accept = piecesType, deadlineMs = Date.now() + 20_000 } = asked;
  const envelope = Envelope.fromPartial({
    queryId: "q1",
    party: "UVA",
    step: "fused-first",
    deadlineMs,
    chain: { id: "UVA", party: "UVA", steps: ["fused-first", "fused-second"] },
    query: { id: "q1", sql },
    goesOnWith,
  });
  const response = await fetch(fn?.url ?? "", {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", accept },
    body: new Uint8Array(Envelope.encode(envelope).finish()),
    ...(signal === undefined ? {} : { signal }),
  });
  const body = new Uint8Array(await response.arrayBuffer());
  if (accept !== piecesType) return [said("outcome", body)];
  const told: [string, string][] = [];
  const names = Object.fromEntries(Object.entries(pieceKinds).map(([name, kind]) => [kind, name]));
  for await (const piece of readPieces(once(body), 1_000_000)) told.push(said(names[piece.kind] ?? "", piece.body));
  return told;
}

async function* once(bytes: Uint8Array) {
  yield bytes;
}

function said(kind: string, bytes: Uint8Array): [string, string] {
  const { decision } = Outcome.decode(bytes);
  if (decision?.$case === "failure") return [kind, `${labelOf(decision.value.code)} of ${decision.value.step}`];
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return [kind, content?.$case === "result" ? String(content.value.document?.body) : "nothing"];
}

const start = async (environment: Record<string, string>) => {
  fn = await startFunction(handler, { pool_size: "1", concurrency: "2", worker_backend: "spawn", ...environment });
};

describe("a function that is fused", () => {
  it.each(["spawn", "fork"])(
    "runs both steps in one process, which is used once, and tells of both: %s",
    async (way) => {
      await start({ fuse: "fused-second", worker_backend: way });
      const answers = [await ask(), await ask()];
      const pids = answers.map((pieces) => {
        const [[first, pid], [second, told]] = pieces as [[string, string], [string, string]];
        expect([first, second]).toEqual(["handedOn", "outcome"]);
        expect(JSON.parse(told)).toEqual({ given: pid, pid, folder: [], hop: 1 });
        return pid;
      });
      expect(pids[0]).not.toBe(pids[1]);
    },
  );

  it("runs its own step alone for an envelope that goes on with nothing, or with what it was not given", async () => {
    await start({ fuse: "fused-second" });
    for (const goesOnWith of [[], ["sql-graph"]])
      expect((await ask({ goesOnWith })).map(([kind]) => kind)).toEqual(["outcome"]);
  });

  it("refuses by name who could not read the outcomes of both", async () => {
    await start({ fuse: "fused-second" });
    expect(await ask({ accept: "application/x-protobuf" })).toEqual([["outcome", "ENVELOPE_INVALID of fused-first"]]);
  });

  it("ends by name when the second step dies, or does not end before the deadline", async () => {
    await start({ fuse: "fused-second" });
    // Whether the first one's word was read before the process was gone is a question of who was faster.
    expect((await ask({ sql: "crash" })).at(-1)).toEqual(["outcome", "WORKER_CRASHED of fused-first"]);
    const hung = await ask({ sql: "hang", deadlineMs: Date.now() + 1_500 });
    expect(hung.map(([kind]) => kind)).toEqual(["handedOn", "outcome"]);
    expect(hung[1]?.[1]).toBe("DEADLINE_EXCEEDED of fused-first");
  });

  it("kills the process in its second step when nobody waits any more", async () => {
    await start({ fuse: "fused-second", concurrency: "1" });
    const controller = new AbortController();
    const asking = expect(ask({ sql: "hang" }, controller.signal)).rejects.toThrow();
    setTimeout(() => controller.abort(), 700);
    await asking;
    // It is the only one that may run at a time.
    expect((await ask()).map(([kind]) => kind)).toEqual(["handedOn", "outcome"]);
  });
});

describe("a function that is not fused", () => {
  it("runs its own step alone, whatever its envelope says", async () => {
    await start({});
    expect((await ask()).map(([kind]) => kind)).toEqual(["outcome"]);
  });

  it("does not start when it is to go on with a step that it does not hold", async () => {
    await expect(start({ fuse: "sql-graph" })).rejects.toThrow(/fuse names the step sql-graph: there are fused-second/);
  });
});
