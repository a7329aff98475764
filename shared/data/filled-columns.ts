/** Which columns of a table hold a value at all, which is known when its last row is. */
import { Field, type RecordBatch, Schema } from "apache-arrow";

export class FilledColumns {
  readonly #schema: Schema;
  readonly #filled: boolean[];

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#filled = schema.fields.map(() => false);
  }

  see(batch: RecordBatch): void {
    batch.data.children.forEach((column, i) => {
      if (column.nullCount < column.length) this.#filled[i] = true;
    });
  }

  /** The same schema with a mark on the others: nobody can tell their type, and the union takes them for any. */
  schema(metadata = this.#schema.metadata): Schema {
    return new Schema(
      this.#schema.fields.map((field, i) => marked(field, this.#filled[i] === true)),
      metadata,
    );
  }
}

function marked(field: Field, isFilled: boolean): Field {
  const metadata = new Map(field.metadata);
  metadata.delete("empty");
  if (!isFilled) metadata.set("empty", "true");
  return new Field(field.name, field.type, field.nullable, metadata);
}
