/** A transfer's chunks, held against what the message that refers to it says of them. */
import { createHash } from "node:crypto";
import { ErrorCode, type Transfer } from "#contracts";
import { DynamosError } from "#errors";

/**
 * Every chunk, or an error: never a part that looks like the whole. The last one goes on only when all
 * of them are as they were sent.
 *
 * @param source its chunks as the broker has them; more than were announced are not read
 * @param shortOf what it means that only so many of them came
 * @throws DynamosError TRANSFER_LOST, what `shortOf` makes, and what the source fails with
 */
export async function* checkedTransfer(
  { chunks, sha256 }: Transfer,
  source: AsyncIterable<Uint8Array>,
  shortOf: (read: number) => DynamosError,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let read = 0;
  for await (const chunk of source) {
    read += 1;
    hash.update(chunk);
    if (read === chunks && !hash.digest().equals(sha256)) {
      throw new DynamosError(ErrorCode.TRANSFER_LOST, "a table did not arrive as it was sent");
    }
    yield chunk;
    if (read === chunks) return;
  }
  throw shortOf(read);
}
