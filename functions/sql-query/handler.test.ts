import { expect, it } from "vitest";
import { approvalEnvironment, signedApproval } from "#testing/approval-keys";
import { callStep } from "#testing/call-step";
import step from "./handler.ts";
import { rehearsalOf, rehearsalQueries } from "./rehearsal.ts";

const nowMs = Date.now();
const context = { environment: approvalEnvironment, now: () => nowMs, temporaryFolder: "" };

function approved() {
  const { envelope } = rehearsalOf(rehearsalQueries[0], nowMs);
  const [approval] = envelope.approvals;
  if (envelope.query === undefined || approval === undefined) throw new RangeError("the rehearsal has no approval");
  return { ...envelope, approvals: [signedApproval({ ...envelope, query: envelope.query }, approval as never)] };
}

it.each([
  ["without a data_dir", undefined, "the function has no data_dir"],
  ["with a relative data_dir", "docs/examples/data", "the function's data_dir must be an absolute path"],
])("says what is wrong with a function %s", async (_, data_dir, message) => {
  const environment = { ...approvalEnvironment, data_dir };
  await expect(callStep(step, approved(), { ...context, environment })).rejects.toMatchObject({
    label: "DATA_UNREADABLE",
    message,
  });
});

it("does not believe what the rehearsal signs", async () => {
  await expect(callStep(step, rehearsalOf(rehearsalQueries[0], nowMs).envelope, context)).rejects.toMatchObject({
    label: "APPROVAL_INVALID",
    message: "the approval of rehearsal is signed with a key that is not known here",
  });
});

it("does not start without the keys that it verifies with", async () => {
  const environment = { approval_keys_file: "/nowhere/approval-keys" };
  await expect(step.rehearse?.({ ...context, environment })).rejects.toThrow(/^the public keys of approvals, /);
});
