/** Binds an approval to the whole query: its SQL, algorithm, options, purpose, user, and what comes to be added. */
import { createHash } from "node:crypto";
import type { Query } from "#contracts";
import { canonicalJson } from "#domain/canonical-json";

/** SHA-256 in hexadecimal. */
export function querySha256(query: Query): string {
  return createHash("sha256").update(canonicalJson(query)).digest("hex");
}
