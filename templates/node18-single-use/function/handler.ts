import { forward } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

/** Hands on what it gets. */
export default defineStep<void>({
  name: "hand-on",
  isolation: "single-use",
  accepts: "result",
  facts: () => {},
  decide: (envelope) => forward(envelope.inputs[0]?.payload ?? { content: undefined }),
});
