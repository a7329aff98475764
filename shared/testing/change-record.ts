import { recordDigest } from "#adapters/system/record-crypto";
import type { ChangeRecord } from "#domain/audit/record";

export function changeRecord(revision: number): ChangeRecord {
  const after = recordDigest(String(revision));
  return {
    kind: "change",
    atMs: 1,
    key: "/agreements/UVA",
    revision,
    author: "",
    before: "",
    after,
    code: { sidecar: "s" },
  };
}
