/** The work of one invocation: a thousand numbers made from its query, and their mean. */
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

export const meanOf = (seed: number): number => {
  let sum = 0;
  for (let index = 0; index < 1_000; index++) sum += (seed * 31 + index * 7_919) % 10_007;
  return sum / 1_000;
};

export default defineStep<number>({
  name: "mean-step",
  isolation: "single-use",
  accepts: "nothing",
  rehearse: async () => void meanOf(1),
  facts: ({ query }) => meanOf(Number(query?.sql)),
  decide: (_, mean) => {
    const document = { mediaType: "text/plain", body: Buffer.from(String(mean).padEnd(400)) };
    return forwardResult({ table: undefined, chart: undefined, document });
  },
});
