/** Steps for the invoker's contract suite: one for each way in which an invocation can go. */
import { ErrorCode, type Payload, type Table } from "#contracts";
import { forward, forwardResult, refuse } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep, type Step } from "#runtime/define-step";

const nothing: Payload = { content: undefined };

/** Hands on what it got. */
const echo = defineStep({
  name: "echo",
  isolation: "shared",
  accepts: "result",
  facts: () => undefined,
  decide: (envelope) => forward(envelope.inputs[0]?.payload ?? nothing),
});

const refusing = defineStep({
  name: "refusing",
  isolation: "shared",
  accepts: "result",
  facts: () => undefined,
  decide: () => refuse([{ code: ErrorCode.DENIED, clause: "relations", message: "not in the agreement" }]),
});

const failing = defineStep({
  name: "failing",
  isolation: "shared",
  accepts: "result",
  facts: (): undefined => {
    throw new DynamosError(ErrorCode.UNKNOWN_TABLE, "there is no table Persons");
  },
  decide: () => forward(nothing),
});

/** Its message stands for what must not reach the asker. */
const defective = defineStep({
  name: "defective",
  isolation: "shared",
  accepts: "result",
  facts: (): undefined => {
    throw new Error("row 7 has salary 4200");
  },
  decide: () => forward(nothing),
});

/** Never ends by itself. */
const endless = defineStep({
  name: "endless",
  isolation: "shared",
  accepts: "result",
  facts: () => new Promise<undefined>(() => {}),
  decide: () => forward(nothing),
});

/** Takes a moment, so that calls overlap. */
const slow = defineStep({
  name: "slow",
  isolation: "shared",
  accepts: "result",
  facts: () => new Promise<void>((resolve) => setTimeout(resolve, 100)),
  decide: (envelope) =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "text/plain", body: Buffer.from(envelope.queryId) },
    }),
});

/** Hands on the bytes of its inputs' tables as they come, behind one another. */
const passing = defineStep<number>({
  name: "passing",
  isolation: "shared",
  accepts: "result",
  facts: async (envelope, _context, { bytesOf, emit }) => {
    let bytes = 0;
    for (const index of envelope.inputs.keys()) {
      for await (const part of bytesOf(index)) {
        bytes += part.length;
        await emit(part);
      }
    }
    return bytes;
  },
  decide: (_, rows) => forwardResult({ table: emittedTable(rows), chart: undefined, document: undefined }),
});

/** Sends the first bytes of a table and then fails. */
const breaking = defineStep({
  name: "breaking",
  isolation: "shared",
  accepts: "result",
  facts: async (_envelope, _context, { emit }): Promise<undefined> => {
    await emit(Buffer.alloc(100_000, 1));
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "row 7 is not readable");
  },
  decide: () => forward(nothing),
});

function emittedTable(rows: number): Table {
  const transfer = { name: "", chunks: 0, bytes: 0, sha256: Buffer.alloc(0) };
  return { arrowIpc: Buffer.from("schema"), rows, transfer };
}

export const contractSteps: readonly Step[] = [echo, refusing, failing, defective, endless, slow, passing, breaking];
