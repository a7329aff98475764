/** Hands on who it is, and leaves something in its process and its folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

export default defineStep<void>({
  name: "fused-first",
  isolation: "single-use",
  accepts: "nothing",
  fusible: ["fused-second"],
  facts: (_envelope, { temporaryFolder }) => writeFileSync(join(temporaryFolder, "left"), "of the first"),
  decide: () =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "text/plain", body: Buffer.from(String(process.pid)) },
    }),
});
