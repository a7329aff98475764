import type { Context } from "hono";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

/**
 * The body as JSON.
 * @throws DynamosError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE (as soon as it is clear), INVALID_REQUEST
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

async function readBytes(body: ReadableStream<Uint8Array> | null, announcedBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new DynamosError(ErrorCode.BODY_TOO_LARGE, `the body is over ${limits.requestBodyBytesMax} bytes`);
  if (announcedBytes > limits.requestBodyBytesMax) throw tooLarge();
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limits.requestBodyBytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The position, where the engine names it; never the text around it. */
function placeOf(error: unknown): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined ? "" : `: it breaks off or goes wrong at character ${position}`;
}
