import { expect, it } from "vitest";
import { callStep } from "#testing/call-step";
import step from "./handler.ts";
import { rehearsalEnvelope } from "./rehearsal.ts";

it.each([
  ["without a data_dir", undefined, "the function has no data_dir"],
  ["with a relative data_dir", "docs/examples/data", "the function's data_dir must be an absolute path"],
])("says what is wrong with a function %s", async (_, data_dir, message) => {
  const now = Date.now();
  const context = { environment: { data_dir }, now: () => now, temporaryFolder: "" };
  await expect(callStep(step, rehearsalEnvelope(now), context)).rejects.toMatchObject({
    label: "DATA_UNREADABLE",
    message,
  });
});
