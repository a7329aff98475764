/** A result in numbers: how many rows and bytes, and their hash. */
import type { Result } from "#contracts";
import type { Content, Sha256 } from "./record.ts";

/** SHA-256 of bytes, or of a text in UTF-8, in hexadecimal. */
export type DigestBytes = (data: string | Uint8Array) => Sha256;

/** Of a table that lies elsewhere, as its writer counted it. */
export function contentsOf(result: Result | undefined, digest: DigestBytes): Content[] {
  const { table, chart, document } = result ?? {};
  const contents: Content[] = [];
  if (table?.transfer !== undefined) {
    const { bytes, sha256 } = table.transfer;
    contents.push({ what: "table", rows: table.rows, bytes, sha256: hexadecimal(sha256) });
  } else if (table !== undefined) {
    const { arrowIpc, rows } = table;
    contents.push({ what: "table", rows, bytes: arrowIpc.length, sha256: digest(arrowIpc) });
  }
  if (chart !== undefined) {
    const { svg } = chart;
    contents.push({ what: "chart", rows: -1, bytes: new TextEncoder().encode(svg).length, sha256: digest(svg) });
  }
  if (document !== undefined) {
    const { body } = document;
    contents.push({ what: "document", rows: -1, bytes: body.length, sha256: digest(body) });
  }
  return contents;
}

function hexadecimal(bytes: Uint8Array): Sha256 {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
