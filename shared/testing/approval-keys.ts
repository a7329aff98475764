/** A key pair for the approvals of one test run, and approvals signed with it. */
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApprovalKeys, approvalKeysOf, type SigningKey } from "#approval/approval-keys";
import { makeApprovalKeys } from "#approval/make-keys";
import { signApprovals } from "#approval/sign";
import type { ApprovedMessage } from "#approval/verify";
import { Approval, type Query, type Terms } from "#contracts";

const { privateJwk, publicJwk } = makeApprovalKeys("test");
const folder = mkdtempSync(join(tmpdir(), "dynamos-approval-keys-"));
const [privateFile, publicFile] = [join(folder, "approval-key"), join(folder, "approval-keys")];
writeFileSync(privateFile, JSON.stringify(privateJwk), { mode: 0o600 });
writeFileSync(publicFile, JSON.stringify({ keys: [publicJwk] }));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

export const testSigningKey: SigningKey = { kid: "test", key: createPrivateKey({ key: privateJwk, format: "jwk" }) };
export const testApprovalKeys: ApprovalKeys = approvalKeysOf({ keys: [publicJwk] });

/** What tells a policy-enforcer and a sql-query of one system where their keys are. */
export const approvalEnvironment = { approval_key_file: privateFile, approval_keys_file: publicFile } as const;

export interface TestApproval extends Partial<Omit<Approval, "terms">> {
  readonly provider: string;
  readonly terms?: Partial<Terms>;
}

/** As the policy step would have signed it for this message. */
export function signedApproval(
  { query, queryId, replyTo, attempt, deadlineMs }: ApprovedMessage & { readonly query: Query },
  approval: TestApproval,
  key: SigningKey = testSigningKey,
): Approval {
  const whole = Approval.fromPartial({
    queryId,
    user: query.user,
    expiresAtMs: deadlineMs,
    ...approval,
  } as Partial<Approval>);
  const [signed] = signApprovals([whole], { query, replyTo, attempt, nowMs: approval.issuedAtMs ?? 0, key });
  return signed as Approval;
}
