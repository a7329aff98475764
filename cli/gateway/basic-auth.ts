/** HTTP Basic, which OpenFaaS asks for under /system/ and leaves functions open. */
import { createHash, timingSafeEqual } from "node:crypto";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** @param header `Authorization` as it came */
export function isAllowed(header: string | undefined, { user, password }: Credentials): boolean {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  // Digests have one length and their comparison takes one time, whatever was sent.
  return timingSafeEqual(digest(header ?? ""), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
