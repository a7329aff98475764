/** The child's side: one step, one envelope, one reply. Started by spawned-worker.ts with the door on descriptor 3. */
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Envelope, Outcome } from "#contracts";
import { fail } from "#domain/outcome";
import type { Step, StepContext } from "./define-step.ts";
import { serveOneCall } from "./one-call.ts";
import { runStep } from "./run-step.ts";

export async function runWorker(step: Step): Promise<void> {
  const context = makeContext(tmpdir());
  await rehearse(step, context);
  await serveOneCall({
    rehearsal: syntheticEnvelope(step.name),
    rehearsed: rehearseCodecs,
    answer: (call) => runStep(step, call, context, report),
  });
}

function makeContext(temporaryFolder: string): StepContext {
  return {
    environment: Object.freeze({ ...process.env }),
    now: Date.now,
    temporaryFolder,
  };
}

/** In a folder that is removed, so that the invocation finds its own empty. */
async function rehearse(step: Step, context: StepContext): Promise<void> {
  if (step.rehearse === undefined) {
    return;
  }
  const temporaryFolder = join(context.temporaryFolder, "rehearsal");
  mkdirSync(temporaryFolder);
  await step.rehearse({ ...context, temporaryFolder });
  rmSync(temporaryFolder, { recursive: true, force: true });
}

/** Node compiles functions when first called: better before the envelope than after it. */
function rehearseCodecs(envelope: Uint8Array): void {
  const decoded = Envelope.decode(envelope);
  Outcome.encode(fail(0, decoded.step)).finish();
  Outcome.encode({ decision: { $case: "forward", value: { payload: decoded.inputs[0]?.payload } } }).finish();
}

function syntheticEnvelope(step: string): Uint8Array {
  const table = { arrowIpc: Buffer.alloc(1_024), rows: 1 };
  const result = { table, chart: undefined, document: undefined };
  return Envelope.encode(
    Envelope.fromPartial({
      queryId: "rehearsal",
      step,
      deadlineMs: 1,
      chain: { id: "rehearsal", steps: [step], providers: ["rehearsal"] },
      query: { id: "rehearsal", sql: "rehearsal", providers: ["rehearsal"], options: { graph: false } },
      inputs: [{ provider: "rehearsal", payload: { content: { $case: "result", value: result } } }],
    }),
  ).finish();
}

/** The log is the door's, which reads this stream; the asker never sees it. */
function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
