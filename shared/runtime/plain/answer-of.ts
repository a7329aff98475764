/** The HTTP answer to what a plain handler said. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { PlainAnswer } from "./plain-call.ts";

/** Of the connection, not of the answer: Node sets these itself. */
const ofConnection = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Objects, lists, numbers and booleans become JSON; a string is `text/html` as in the official template, unless
 * it says why a call failed; bytes are `application/octet-stream`. A content type among the headers wins.
 * @throws TypeError when the handler's status, headers or value can't be sent
 */
export function answerOf(value: unknown, { status, headers, failed }: AnswerHead): PlainAnswer {
  const code = Number(status);
  if (!(Number.isInteger(code) && code >= 200 && code <= 599)) {
    throw new TypeError(`a status is a whole number from 200 to 599, not ${String(status)}`);
  }
  const { type, body } = bodyOf(value, failed);
  const sent = checked(headers);
  return { status: code, headers: { ...(type === undefined ? {} : { "content-type": type }), ...sent }, body };
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

interface Body {
  readonly type?: string;
  readonly body: Uint8Array;
}

const [json, plain, html] = ["application/json", "text/plain", "text/html"].map((type) => `${type}; charset=utf-8`);

function bodyOf(value: unknown, failed: boolean): Body {
  if (value === undefined || value === null) return { body: Buffer.alloc(0) };
  if (typeof value === "string") return { type: (failed ? plain : html) as string, body: Buffer.from(value) };
  if (value instanceof Uint8Array) return { type: "application/octet-stream", body: value };
  if (value instanceof ArrayBuffer) return { type: "application/octet-stream", body: new Uint8Array(value) };
  // Its name and message, as the official template has it; never its stack.
  if (value instanceof Error) return { type: plain as string, body: Buffer.from(String(value)) };
  if (typeof value === "object" && (Symbol.asyncIterator in value || "pipe" in value)) {
    throw new TypeError("a stream can't be an answer: read it first");
  }
  const text = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} can't be an answer`);
  return { type: json as string, body: Buffer.from(text) };
}

function checked(headers: Readonly<Record<string, unknown>>): Record<string, string | string[]> {
  const sent: Record<string, string | string[]> = {};
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    if (value === undefined || value === null || ofConnection.has(name)) continue;
    validateHeaderName(name);
    const texts = [value].flat().map(String);
    for (const text of texts) validateHeaderValue(name, text);
    sent[name] = texts.length === 1 ? (texts[0] as string) : texts;
  }
  return sent;
}
