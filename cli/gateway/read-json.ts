import type { IncomingMessage } from "node:http";

/** Over what Kubernetes takes of a secret, twice in one body: as text and in base64. */
export const systemBodyBytesMax = 3 * 1_048_576;

/** Thrown for a body over the limit, what follows of it unread. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/** The JSON of a request's body, whatever type it says that it has. @throws BodyTooLarge, RangeError with a sentence */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > systemBodyBytesMax) throw new BodyTooLarge(`the body is over ${systemBodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch (cause) {
    throw new RangeError("the body is not JSON", { cause });
  }
}
