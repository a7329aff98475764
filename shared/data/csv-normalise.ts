/**
 * Any CSV as one plain kind of CSV: LF between records, no BOM, no blank lines, UTF-8, each
 * record with as many fields as the header. Everything after it can be simple.
 *
 * A run of CR and LF outside quotes ends one record, whatever it is made of (LF, CRLF, CR,
 * CR CR LF): the blank records in between would be skipped anyway. Quoting as in RFC 4180.
 */
import { isUtf8 } from "node:buffer";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface CsvFormat {
  /** For errors. */
  readonly file: string;
  readonly delimiter: string;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const recordBytesMax = 16 * 1_048_576;

/**
 * Yields the records in blocks, each record ended by LF; the first is the header.
 * @throws DynamosError DATA_UNREADABLE with file, row (the header is row 1) and column, never with a value
 */
export async function* normaliseCsv(chunks: AsyncIterable<Buffer>, format: CsvFormat): AsyncGenerator<Buffer> {
  const scanner = new RecordScanner(format);
  for await (const chunk of chunks) {
    const block = scanner.scan(chunk);
    if (block.length > 0) yield block;
  }
  const last = scanner.end();
  if (last.length > 0) yield last;
}

type Place = "fieldStart" | "plain" | "quoted" | "afterQuote";

class RecordScanner {
  private readonly format: CsvFormat;
  private readonly delimiter: number;
  private place: Place = "fieldStart";
  /** The bytes of the record so far, as far as they came with earlier chunks. */
  private carried: Buffer = Buffer.alloc(0);
  private row = 1;
  private column = 1;
  private headerFields = 0;
  private first = true;
  private readonly out: Buffer[] = [];

  constructor(format: CsvFormat) {
    const { delimiter, file } = format;
    if (Buffer.byteLength(delimiter) !== 1 || /["\r\n]/.test(delimiter)) {
      throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${file}: the delimiter must be one ASCII character`);
    }
    this.format = format;
    this.delimiter = delimiter.charCodeAt(0);
  }

  scan(chunk: Buffer): Buffer {
    let start = this.skipBom(chunk);
    for (let i = start; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.place === "quoted") {
        if (byte === QUOTE) this.place = "afterQuote";
      } else if (byte === CR || byte === LF) {
        this.endRecord(chunk.subarray(start, i));
        start = i + 1;
      } else {
        this.step(byte);
      }
    }
    this.carried = Buffer.concat([this.carried, chunk.subarray(start)]);
    if (this.carried.length > recordBytesMax)
      throw this.problem(`a record is over ${recordBytesMax} bytes: is a quote not closed?`);
    return this.take();
  }

  end(): Buffer {
    if (this.place === "quoted") throw this.problem("a quote is not closed");
    this.endRecord(Buffer.alloc(0));
    if (this.headerFields === 0) {
      throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${this.format.file} is empty: a header is needed`);
    }
    return this.take();
  }

  /** One byte outside quotes that ends no record. */
  private step(byte: number | undefined): void {
    if (byte === this.delimiter) {
      this.column += 1;
      this.place = "fieldStart";
    } else if (byte === QUOTE && this.place !== "plain") {
      // At the start it opens; right after a closing one it is a quote inside the field.
      this.place = "quoted";
    } else if (this.place === "afterQuote") {
      throw this.problem("there is text after a closing quote");
    } else {
      this.place = "plain";
    }
  }

  private endRecord(rest: Buffer): void {
    const record = this.carried.length === 0 ? rest : Buffer.concat([this.carried, rest]);
    this.carried = Buffer.alloc(0);
    const fields = this.column;
    this.place = "fieldStart";
    this.column = 1;
    if (record.length === 0) return;
    if (!isUtf8(record)) throw this.notUtf8(record);
    if (this.headerFields === 0) this.headerFields = fields;
    if (fields !== this.headerFields) {
      this.column = Math.min(fields, this.headerFields + 1);
      throw this.problem(`${count(fields, "field")}, the header has ${this.headerFields}`);
    }
    this.out.push(this.requoted(record), Buffer.from([LF]));
    this.row += 1;
  }

  /** A quote inside an unquoted field is data; quoted, every reader takes it for that. */
  private requoted(record: Buffer): Buffer {
    if (!record.includes(QUOTE)) return record;
    const fields: string[] = [];
    const text = record.toString("utf8");
    const delimiter = this.format.delimiter;
    for (let at = 0; at <= text.length; ) {
      const end = text[at] === '"' ? closingQuote(text, at) + 1 : indexOrEnd(text, delimiter, at);
      const field = text.slice(at, end);
      fields.push(field.startsWith('"') || !field.includes('"') ? field : `"${field.replaceAll('"', '""')}"`);
      at = end + 1;
    }
    return Buffer.from(fields.join(delimiter), "utf8");
  }

  private skipBom(chunk: Buffer): number {
    if (!this.first) return 0;
    this.first = false;
    return chunk.length >= 3 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? 3 : 0;
  }

  private take(): Buffer {
    return Buffer.concat(this.out.splice(0));
  }

  private notUtf8(record: Buffer): DynamosError {
    let column = 1;
    for (let at = 0, start = 0; at <= record.length; at++) {
      if (at === record.length || record[at] === this.delimiter) {
        if (!isUtf8(record.subarray(start, at))) break;
        start = at + 1;
        column += 1;
      }
    }
    this.column = column;
    return this.problem("a character is not UTF-8");
  }

  private problem(what: string): DynamosError {
    return new DynamosError(
      ErrorCode.DATA_UNREADABLE,
      `${this.format.file}, row ${this.row}, column ${this.column}: ${what}`,
    );
  }
}

/** @returns where the quoted field that begins at `start` has its closing quote */
function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    if (text[at + 1] !== '"') return at;
    at += 1;
  }
  return text.length;
}

function indexOrEnd(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at < 0 ? text.length : at;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
