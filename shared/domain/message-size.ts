/** The limit of one message, as its publisher and its reader both hold it. */
import { limits } from "./limits.ts";

/** @returns why it is too large, as a clause for people; undefined: it is not */
export function tooLarge({ length }: Uint8Array): string | undefined {
  if (length <= limits.messageBytesMax) return undefined;
  return `a message of ${length} bytes, at most ${limits.messageBytesMax}`;
}
