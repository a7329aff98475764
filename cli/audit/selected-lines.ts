/** Some of a record's lines, with what is needed to verify them: the first of their chain names its key. */
import type { RecordLine } from "#domain/audit/verification";
import { fieldsOf } from "./stored-records.ts";

export interface Selection {
  readonly queryId?: string | undefined;
  readonly sinceMs?: number | undefined;
}

export async function* selectedLines(
  lines: AsyncIterable<RecordLine>,
  { queryId, sinceMs }: Selection,
): AsyncGenerator<RecordLine> {
  let genesis: RecordLine | undefined;
  for await (const line of lines) {
    const fields = fieldsOf(line.text);
    if (fields.kind === "genesis") genesis = line;
    const isWanted =
      (queryId === undefined || fields.queryId === queryId) &&
      (sinceMs === undefined || (typeof fields.atMs === "number" && fields.atMs >= sinceMs));
    if (!isWanted) continue;
    if (genesis !== undefined && genesis !== line) yield genesis;
    genesis = undefined;
    yield line;
  }
}
