/** Goes wrong in the way that the query's SQL names. */
import { ErrorCode } from "#contracts";
import { fail } from "#domain/outcome";
import { DynamosError } from "#errors";
import { defineStep } from "#runtime/define-step";

const held: unknown[] = [];

const ways: Readonly<Record<string, () => unknown>> = {
  crash: () => process.exit(3),
  kill: () => process.kill(process.pid, "SIGSEGV"),
  throw: () => {
    throw new Error("a secret value");
  },
  name: () => {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "f.csv, row 3: no");
  },
  hang: () => new Promise(() => {}),
  spin: () => {
    for (;;);
  },
  heap: () => {
    for (;;) held.push(new Array(10_000).fill("x"));
  },
  buffers: async () => {
    for (;;) {
      held.push(Buffer.alloc(8 * 1_048_576, 1));
      await new Promise((resume) => setImmediate(resume));
    }
  },
  chat: () => {
    for (let i = 0; i < 2_000; i++) process.stdout.write(`line ${i}\n`);
  },
  answer: () => undefined,
};

export default defineStep<void>({
  name: "misbehave",
  isolation: "single-use",
  accepts: "nothing",
  facts: async ({ query }) => {
    await ways[query?.sql ?? "answer"]?.();
  },
  decide: () => fail(ErrorCode.CANCELLED, "it went right"),
});
