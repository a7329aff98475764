/** Lines of one party's record, as who has its key verifies them. */
import { isSignedBy, recordDigest } from "#adapters/system/record-crypto";
import { type ChainHead, type Report, Verification } from "#domain/audit/verification";

/** @param publicKey of whoever's records they are */
export function verified(lines: readonly string[], publicKey: string, heads: readonly ChainHead[] = []): Report {
  const keys = [{ party: "", publicKey }];
  const verification = new Verification({ digest: recordDigest, isSignedBy, keys, heads });
  for (const [index, text] of lines.entries()) verification.take({ file: "", line: index + 1, text });
  return verification.end();
}
