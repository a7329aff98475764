/** Steps for the invoker's contract suite: one for each way in which an invocation can go. */
import { ErrorCode, type Payload } from "#contracts";
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

export const contractSteps: readonly Step[] = [echo, refusing, failing, defective, endless, slow];
