/** What crosses between a plain function's door and its worker: a head in JSON, then the body's bytes as they are. */

/** One HTTP request. */
export interface PlainCall {
  readonly method: string;
  /** Path and query as they came: `/a/b?c=d`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
}

/** One HTTP answer. */
export interface PlainAnswer {
  readonly status: number;
  /** Lower case names. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
}

const lengthBytes = 4;

export function encodeCall(call: PlainCall): Uint8Array {
  return encode(call);
}

export function decodeCall(bytes: Uint8Array): PlainCall {
  const { head, body } = decode<Omit<PlainCall, "body">>(bytes);
  return { ...head, body };
}

export function encodeAnswer(answer: PlainAnswer): Uint8Array {
  return encode(answer);
}

/** @throws Error when the bytes are no answer, so that a broken worker is found out */
export function decodeAnswer(bytes: Uint8Array): PlainAnswer {
  const { head, body } = decode<Omit<PlainAnswer, "body">>(bytes);
  if (!Number.isInteger(head.status) || typeof head.headers !== "object" || head.headers === null) {
    throw new TypeError("the head of an answer has a status and headers");
  }
  return { ...head, body };
}

function encode({ body, ...head }: PlainCall | PlainAnswer): Uint8Array {
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, body]);
}

function decode<Head>(bytes: Uint8Array): { readonly head: Head; readonly body: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = lengthBytes + buffer.readUInt32BE(0);
  return { head: JSON.parse(buffer.toString("utf8", lengthBytes, end)), body: buffer.subarray(end) };
}
