/** An answer in lines that begins with its head: what is sent first is what the whole of it begins with, byte by byte. */
import { createHash } from "node:crypto";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Answer } from "./answer.ts";
import { answerBytes } from "./answer-bytes.ts";
import { acceptedFormats } from "./answer-format.ts";
import { type Chosen, chooseFormat, type Wish, wantedOf } from "./answer-response.ts";
import { openTable, type TableReader } from "./open-table.ts";
import { headOf } from "./run-with-head.ts";

/** In these what comes first is the same, whatever comes after it. */
const formatsOfLines: ReadonlySet<string> = new Set(["csv", "ndjson"]);

export function wantsLines(accept: string | undefined): boolean {
  return formatsOfLines.has(acceptedFormats(accept)[0]?.name ?? "");
}

/** @returns its first rows, and of how many; undefined: the answer has no lines, or is refused when it is whole */
export function chooseHead(answer: Answer, wish: Wish, reader: TableReader): Chosen | undefined {
  try {
    const chosen = chooseFormat(answer, wish, reader);
    if (!formatsOfLines.has(chosen.format.name)) return undefined;
    const { results, ...wanted } = wantedOf(answer, wish.party);
    const cut = results.findIndex((result) => headOf(result) !== undefined);
    const first = { ...wanted, results: cut === -1 ? results : results.slice(0, cut + 1) };
    const rows = results.reduce((sum, one) => sum + (headOf(one) ?? one.result.table?.rows ?? 0), 0);
    const bytes = (signal: AbortSignal) =>
      answerBytes(first, chosen.format, (table) => openTable(table, reader, signal));
    return { ...chosen, rows, bytes: bytes as Chosen["bytes"] };
  } catch {
    return undefined;
  }
}

/**
 * @param whole resolves when it is there
 * @throws DynamosError, in the midst of it, when the rest does not come or does not belong to the head
 */
export async function* headThenRest(
  head: Chosen,
  whole: () => Promise<Chosen>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const sent = createHash("sha256");
  let length = 0;
  for await (const bytes of head.bytes(signal)) {
    sent.update(bytes);
    length += bytes.length;
    yield bytes;
  }
  // The listener waits for a second piece, which may be the end: the head need not wait for the rest.
  yield new Uint8Array(0);
  const { bytes, format, rows } = await whole();
  if (format !== head.format || rows !== head.rows) throw changed(`${rows} rows where ${head.rows} were announced`);
  yield* after(bytes(signal), { length, sha256: sent.digest("hex") });
}

/** @throws DynamosError before the first byte where it does not begin as it should */
async function* after(
  pieces: AsyncIterable<Uint8Array>,
  { length, sha256 }: { readonly length: number; readonly sha256: string },
): AsyncGenerator<Uint8Array> {
  const begin = createHash("sha256");
  let left = length;
  for await (const piece of pieces) {
    const more = piece.subarray(left);
    if (left > 0) {
      begin.update(piece.subarray(0, left));
      left -= piece.length - more.length;
      if (left === 0 && begin.digest("hex") !== sha256) throw changed("other rows than those at its beginning");
    }
    if (more.length > 0) yield more;
  }
  if (left > 0) throw changed("fewer rows than its beginning had");
}

function changed(what: string): DynamosError {
  return new DynamosError(
    ErrorCode.TRANSFER_LOST,
    `an answer of which the head was sent has ${what}: the data has changed meanwhile, or has no order; ask again`,
  );
}
