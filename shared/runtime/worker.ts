/** The child's side: one step, one envelope, one reply. Started by spawned-worker.ts with the door on descriptor 3. */
import { mkdirSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Envelope, Outcome } from "#contracts";
import { limits } from "#domain/limits";
import { fail } from "#domain/outcome";
import { ChunkQueue } from "./chunk-queue.ts";
import type { Step, StepContext } from "./define-step.ts";
import { type Frame, FrameReader, frameKinds, writeFrame } from "./frame.ts";
import { runStep } from "./run-step.ts";

const doorDescriptor = 3;
/** A door that sends a second envelope has lost its senses, or is not our door. */
const secondEnvelopeExitCode = 97;

export async function runWorker(step: Step): Promise<void> {
  const context = makeContext(tmpdir());
  await rehearse(step, context);
  const door = new Socket({ fd: doorDescriptor, readable: true, writable: true });
  const reader = new FrameReader(limits.messageBytesMax);
  const chunks = new ChunkQueue({ pause: () => door.pause(), resume: () => door.resume() });
  let called = false;
  const take = async (frame: Frame): Promise<void> => {
    if (frame.kind === frameKinds.rehearsal) {
      rehearseCodecs(frame.body);
      await writeFrame(door, frameKinds.ready, new Uint8Array(0));
    } else if (frame.kind === frameKinds.call && !called) {
      called = true;
      const call = {
        envelope: frame.body,
        chunks,
        take: (chunk: Uint8Array) => writeFrame(door, frameKinds.chunk, chunk),
      };
      await writeFrame(door, frameKinds.reply, await runStep(step, call, context, report));
    } else if (frame.kind === frameKinds.chunk) {
      chunks.push(frame.body);
    } else if (frame.kind === frameKinds.inputsEnd) {
      chunks.end();
    } else {
      process.exit(secondEnvelopeExitCode);
    }
  };
  door.on("data", (chunk) => {
    for (const frame of reader.push(chunk)) {
      void take(frame);
    }
  });
  door.on("close", () => process.exit(0));
  door.on("error", () => process.exit(0));
  await writeFrame(door, frameKinds.rehearsal, syntheticEnvelope(step.name));
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
