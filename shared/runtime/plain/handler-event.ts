/** What a plain handler gets of a request: body, headers, method, query and path, as OpenFaaS' node18 template gives them. */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type FormValue, nestedForm } from "./nested-form.ts";
import type { PlainCall } from "./plain-call.ts";

export interface HandlerEvent {
  /**
   * By content type: JSON its value, text a string, a form an object, anything else a Buffer; `{}` without a body.
   * With RAW_BODY always a Buffer.
   */
  readonly body: unknown;
  /** Lower case names. A request without a content type has `text/plain`. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly method: string;
  readonly query: Readonly<Record<string, FormValue>>;
  /** Without the query, not decoded. */
  readonly path: string;
}

export interface BodySettings {
  readonly rawBody: boolean;
  /** Of a body that comes compressed, after it was unpacked. */
  readonly bytesMax: number;
}

/** @throws DynamosError INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE */
export function handlerEvent(call: PlainCall, settings: BodySettings): HandlerEvent {
  const headers = { ...call.headers, "content-type": call.headers["content-type"] ?? "text/plain" };
  const [path = "/", query = ""] = splitOnce(call.url, "?");
  return {
    body: bodyOf(call.body, headers, settings),
    headers,
    method: call.method,
    query: nestedForm(query),
    path,
  };
}

function bodyOf(bytes: Uint8Array, headers: PlainCall["headers"], settings: BodySettings): unknown {
  const sent = Buffer.from(bytes);
  if (settings.rawBody) return sent;
  if (sent.length === 0) return {};
  const body = unpacked(sent, String(headers["content-encoding"] ?? "identity").toLowerCase(), settings.bytesMax);
  const type = String(headers["content-type"]).toLowerCase();
  const [media = ""] = splitOnce(type, ";");
  if (/^application\/(json|[^;]+\+json)$/.test(media.trim())) return jsonOf(body.toString("utf8"));
  if (media.trim() === "application/x-www-form-urlencoded") return nestedForm(body.toString("utf8"));
  return media.trim().startsWith("text/") ? textOf(body, type) : body;
}

function unpacked(body: Buffer, encoding: string, bytesMax: number): Buffer {
  const unpack = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync }[encoding];
  if (encoding === "identity") return body;
  if (unpack === undefined) {
    throw new DynamosError(
      ErrorCode.UNSUPPORTED_MEDIA_TYPE,
      "the content-encoding must be gzip, deflate, br or identity",
    );
  }
  try {
    return unpack(body, { maxOutputLength: bytesMax });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(bytesMax);
    throw new DynamosError(ErrorCode.INVALID_REQUEST, `the body is not ${encoding}, as its content-encoding says`, {
      cause,
    });
  }
}

function tooLarge(bytesMax: number): DynamosError {
  return new DynamosError(ErrorCode.BODY_TOO_LARGE, `the body, unpacked, is over the limit of ${bytesMax} bytes`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "the body is not JSON, as its content-type says", { cause });
  }
}

function textOf(body: Buffer, type: string): string {
  const charset = /;\s*charset="?([^";\s]+)"?/.exec(type)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset).decode(body);
  } catch (cause) {
    throw new DynamosError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the charset of the body is not known", { cause });
  }
}

function splitOnce(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
