/** Tells what it was given, who it is and what its folder holds; hangs or dies where the SQL says so. */
import { readdirSync } from "node:fs";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

export default defineStep<string>({
  name: "fused-second",
  isolation: "single-use",
  accepts: "result",
  facts: async ({ inputs, query, hop }, { temporaryFolder }) => {
    if (query?.sql === "hang") await new Promise(() => {});
    if (query?.sql === "crash") process.exit(3);
    const content = inputs[0]?.payload?.content;
    const given = content?.$case === "result" ? content.value.document?.body : undefined;
    return JSON.stringify({
      given: String(given),
      pid: String(process.pid),
      folder: readdirSync(temporaryFolder),
      hop,
    });
  },
  decide: (_, told) =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "application/json", body: Buffer.from(told) },
    }),
});
