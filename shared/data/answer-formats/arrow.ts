/** An Arrow IPC stream, batch by batch: `application/vnd.apache.arrow.stream`. */
import { Field, Schema, Utf8, vectorFromArray } from "apache-arrow";
import { batchOf, StreamEncoder } from "../arrow-stream.ts";
import { metadataOf } from "../table-notes.ts";
import { partyColumn, type UnitedTables } from "./united-tables.ts";

/** Equal tables give equal bytes, however their own stream was cut. */
export async function* arrowBytes({ parts, named }: UnitedTables): AsyncGenerator<Uint8Array> {
  const [first] = parts;
  if (first === undefined) return;
  const encoder = new StreamEncoder(named ? namedSchema({ parts }) : first.source.schema);
  let bytes: Uint8Array = new Uint8Array();
  for (const { party, source } of parts) {
    for await (const batch of source.batches()) {
      // One batch is held back until the next, so that the last goes only after its source has ended well.
      if (bytes.length > 0) yield bytes;
      encoder.write(named ? withParty(batch.data.children, batch.numRows, party) : batch);
      bytes = encoder.taken();
    }
  }
  encoder.end();
  yield Buffer.concat([bytes, encoder.taken()]);

  function withParty(columns: Parameters<typeof batchOf>[2], rows: number, party: string) {
    const [names] = vectorFromArray(new Array<string>(rows).fill(party), new Utf8()).data;
    return batchOf(namedSchema({ parts }), rows, names === undefined ? columns : [names, ...columns]);
  }
}

function namedSchema({ parts }: Pick<UnitedTables, "parts">): Schema {
  const remarks = parts.flatMap(({ party, source }) => (source.notes.remarks ?? []).map((text) => `${party}: ${text}`));
  const fields = parts[0]?.source.schema.fields ?? [];
  return new Schema(
    [new Field(partyColumn, new Utf8(), true), ...fields],
    metadataOf({ ...parts[0]?.source.notes, remarks }),
  );
}
