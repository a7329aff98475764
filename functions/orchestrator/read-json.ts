import type { Context } from "hono";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

/**
 * The body as JSON.
 * @throws DynamosError UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_REQUEST, REQUEST_TIMEOUT, CANCELLED
 */
export async function readJson(c: Context, bytesMax: number = limits.requestBodyBytesMax): Promise<unknown> {
  checkType(c.req.header("content-type") ?? "");
  const encoding = c.req.header("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    throw new DynamosError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed");
  }
  const bytes = await readBytes(c.req.raw.body, Number(c.req.header("content-length") ?? 0), bytesMax);
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

/** JSON has one encoding (RFC 8259 section 8.1); a client that says another would have its text misread. */
function checkType(field: string): void {
  const [type = "", ...parameters] = field.split(";").map((part) => part.trim().toLowerCase());
  if (type !== "application/json") {
    throw new DynamosError(
      ErrorCode.UNSUPPORTED_MEDIA_TYPE,
      `the body must be application/json, not ${type || "untyped"}`,
    );
  }
  const charset = parameters
    .find((part) => part.startsWith("charset="))
    ?.slice("charset=".length)
    .replaceAll('"', "");
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/.test(charset)) {
    throw new DynamosError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, `the body must be in UTF-8, not ${charset.slice(0, 40)}`);
  }
}

/** What is left of a body that is refused in the middle is the listener's to throw away. */
async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  announcedBytes: number,
  bytesMax: number,
): Promise<Uint8Array> {
  const tooLarge = () => new DynamosError(ErrorCode.BODY_TOO_LARGE, `the body is over ${bytesMax} bytes`);
  if (announcedBytes > bytesMax) throw tooLarge();
  if (body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  const late = lateAfter(limits.apiBodyMsMax);
  try {
    for (;;) {
      const { value } = await Promise.race([reader.read(), late.passed]);
      if (value === undefined) return Buffer.concat(chunks);
      length += value.length;
      if (length > bytesMax) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    late.stop();
  }
}

function lateAfter(ms: number): { passed: Promise<never>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new DynamosError(ErrorCode.REQUEST_TIMEOUT, `the body was not whole within ${ms} ms`)),
      ms,
    );
  });
  passed.catch(() => {});
  return { passed, stop: () => clearTimeout(timer) };
}

/** The position, where the engine names it; never the text around it. */
function placeOf(error: unknown): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return position === undefined ? "" : `: it breaks off or goes wrong at character ${position}`;
}
