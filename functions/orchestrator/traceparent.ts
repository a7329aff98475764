import { randomBytes } from "node:crypto";

const version00 = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace where it sent a valid one, else a new one. Source: W3C Trace Context, section 3.2. */
export function traceparentOf(header: string | undefined): string {
  return header !== undefined && version00.test(header)
    ? header
    : `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}
