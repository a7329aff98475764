/** The child's side: one step, one envelope, one reply; and the steps after it, where the operator fused them. Started with the door on descriptor 3, by spawned-worker.ts or by a fork. */
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Envelope, Outcome, type Transfer } from "#contracts";
import { limits } from "#domain/limits";
import { fail, forwardResult } from "#domain/outcome";
import { rehearsals } from "./before-forks.ts";
import type { Step, StepContext } from "./define-step.ts";
import type { ForkCalls } from "./fork-calls.ts";
import { isForkServer, serveForks } from "./fork-server.ts";
import { fuseSetting } from "./fuse-setting.ts";
import { madeUpEnvelope } from "./made-up-envelope.ts";
import { type Rehearsal, serveOneCall } from "./one-call.ts";
import { optimizeLate } from "./optimize-late.ts";
import { preparedStep } from "./prepared-step.ts";
import { rehearseOneCall } from "./rehearse-call.ts";
import { runChain } from "./run-chain.ts";
import { runStep } from "./run-step.ts";
import { testItself } from "./self-test.ts";

const noBytes = Buffer.alloc(0);

/** @param held further steps of this bundle; the setting `fuse` says which of them are to be used */
export async function runWorker(step: Step, held: readonly Step[] = []): Promise<void> {
  const further = furtherOf(held);
  const all = [step, ...further];
  let own = step;
  let isWarm = false;
  const prepare = async () => {
    own = await preparedStep(step, makeContext(tmpdir()), report);
  };
  if (!isForkServer()) {
    await rehearse(all);
    await prepare();
  } else {
    const { selfTest } = await serveForks(async (calls) => {
      for (let time = 0; time < rehearsals; time++) await rehearseCall(step, calls);
      await rehearseOften(all, rehearsals);
      optimizeLate();
      await rehearseCall(step, calls);
      await rehearse(all);
      await prepare();
    });
    if (selfTest) {
      await testItself();
      // What was prepared before the fork must do after it.
      await rehearse([own]);
    }
    isWarm = !selfTest;
  }
  const context = makeContext(tmpdir());
  await serveOneCall({
    ...(isWarm ? {} : { rehearsal: rehearsalOf(step) }),
    answer: (call) => runChain(own, further, call, context, report),
  });
}

function furtherOf(held: readonly Step[]): Step[] {
  const wanted = fuseSetting(
    process.env.fuse,
    held.map(({ name }) => name),
  );
  return held.filter(({ name }) => wanted.includes(name));
}

function makeContext(temporaryFolder: string): StepContext {
  return {
    environment: Object.freeze({ ...process.env }),
    now: Date.now,
    temporaryFolder,
  };
}

/** As often as was asked, or for as long as a start may take. */
async function rehearseOften(steps: readonly Step[], times: number): Promise<void> {
  const startedAt = performance.now();
  for (let time = 0; time < times; time++) {
    await rehearse(steps);
    if (performance.now() - startedAt > limits.rehearsalsMs) return;
  }
}

/** In a folder that is removed, so that the invocation finds its own empty. */
async function rehearse(steps: readonly Step[]): Promise<void> {
  const context = makeContext(tmpdir());
  for (const { rehearse } of steps) {
    if (rehearse === undefined) continue;
    const temporaryFolder = join(context.temporaryFolder, "rehearsal");
    mkdirSync(temporaryFolder);
    await rehearse({ ...context, temporaryFolder });
    rmSync(temporaryFolder, { recursive: true, force: true });
  }
}

/** The way of a call without the step, over sockets as a child has them, so that each child finds it compiled. */
function rehearseCall(step: Step, calls: ForkCalls): Promise<void> {
  const table = { arrowIpc: Buffer.alloc(0), rows: 1, transfer: { name: "", chunks: 1, bytes: 1, sha256: noBytes } };
  const standIn: Step = {
    ...step,
    facts: async (_envelope, _context, { bytesOf, emit }) => {
      for await (const part of bytesOf(0)) await emit(part);
    },
    decide: () => forwardResult({ table, chart: undefined, document: undefined }),
  };
  const context = makeContext(tmpdir());
  return rehearseOneCall(calls.socketPair(), {
    rehearsal: rehearsalOf(step, table.transfer),
    answer: (call) => runStep(standIn, call, context, report),
  });
}

function rehearsalOf({ name }: Step, transfer?: Transfer): Rehearsal {
  const table = { arrowIpc: Buffer.alloc(transfer === undefined ? 1_024 : 0), rows: 1, transfer };
  return { call: Envelope.encode(madeUpEnvelope(name, table)).finish(), rehearsed: rehearseCodecs };
}

/** Node compiles functions when first called: better before the envelope than after it. */
function rehearseCodecs(envelope: Uint8Array): void {
  const decoded = Envelope.decode(envelope);
  Outcome.encode(fail(0, decoded.step)).finish();
  Outcome.encode({
    decision: { $case: "forward", value: { payload: decoded.inputs[0]?.payload, dataRevision: "" } },
  }).finish();
}

/** The log is the door's, which reads this stream; the asker never sees it. */
function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
