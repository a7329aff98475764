/** A shared step: what it counts stays, and it goes wrong where the SQL says so. */
import { ErrorCode } from "#contracts";
import { fail } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

let calls = 0;

export default defineStep<number>({
  name: "counter",
  isolation: "shared",
  accepts: "nothing",
  facts: async ({ query }) => {
    if (query?.sql === "hang") await new Promise(() => {});
    if (query?.sql === "throw") throw new Error("a secret value");
    calls += 1;
    return calls;
  },
  decide: (_, count) => fail(ErrorCode.CANCELLED, `call ${count}`),
});
