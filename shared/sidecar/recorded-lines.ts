/** A sidecar's own chain, read while it is written. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Records } from "#ports/records";

/**
 * @param queryId empty: all
 * @returns lines as they were sealed, the genesis first: by its key the others can be verified
 * @throws DynamosError NOT_FOUND (nothing is recorded here), RECORD_UNAVAILABLE
 */
export async function* recordedLines(records: Records | undefined, queryId: string): AsyncGenerator<string> {
  if (records === undefined) throw new DynamosError(ErrorCode.NOT_FOUND, "this sidecar keeps no record");
  let isFirst = true;
  for await (const line of records.read(1)) {
    if (isFirst || queryId === "" || isOf(line, queryId)) yield line;
    isFirst = false;
  }
}

function isOf(line: string, queryId: string): boolean {
  // Most lines are of other queries: what does not hold the id need not be parsed.
  return line.includes(JSON.stringify(queryId)) && (JSON.parse(line) as { queryId?: unknown }).queryId === queryId;
}
