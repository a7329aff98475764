import type { Context } from "hono";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

/**
 * The body as JSON.
 * @throws DynamosError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_REQUEST
 */
export async function readJson(c: Context): Promise<unknown> {
  const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json") {
    throw new DynamosError(
      ErrorCode.UNSUPPORTED_MEDIA_TYPE,
      `the body must be application/json, not ${type || "untyped"}`,
    );
  }
  const bytes = await readBytes(c.req.raw.body, Number(c.req.header("content-length") ?? 0));
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, `the body is not JSON${placeOf(error)}`, { cause: error });
  }
}

/** So much of a refused body is still read and thrown away, so that its sender reads the answer. */
const lingerBytesMax = 16 * 1_048_576;

async function readBytes(body: ReadableStream<Uint8Array> | null, announcedBytes: number): Promise<Uint8Array> {
  const isTooLarge = (bytes: number) => bytes > limits.requestBodyBytesMax;
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (body !== null && announcedBytes <= lingerBytesMax) {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (!isTooLarge(length) && !isTooLarge(announcedBytes)) chunks.push(chunk);
      if (length > lingerBytesMax) break;
    }
  }
  if (isTooLarge(length) || isTooLarge(announcedBytes)) {
    throw new DynamosError(ErrorCode.BODY_TOO_LARGE, `the body is over ${limits.requestBodyBytesMax} bytes`);
  }
  return Buffer.concat(chunks);
}

/** The position, where the engine names it; never the text around it. */
function placeOf(error: unknown): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined ? "" : `: it breaks off or goes wrong at character ${position}`;
}
