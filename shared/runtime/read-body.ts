import type { IncomingMessage, ServerResponse } from "node:http";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { asksFirst } from "./asks-first.ts";

/**
 * The whole body. Stops reading at the limit, at once where the length is announced.
 * @throws DynamosError BODY_TOO_LARGE; CANCELLED when the client goes away in the middle
 */
export function readBody(request: IncomingMessage, response: ServerResponse, bytesMax: number): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > bytesMax) {
    return Promise.reject(tooLarge(bytesMax));
  }
  if (asksFirst(request)) {
    response.writeContinue();
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (error: DynamosError) => {
      request.off("data", take);
      request.pause();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > bytesMax) {
        stop(tooLarge(bytesMax));
      }
    };
    request.on("data", take);
    request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)));
    const gone = () => stop(new DynamosError(ErrorCode.CANCELLED, "the client went away while it sent the body"));
    request.once("aborted", gone);
    request.once("error", gone);
  });
}

function tooLarge(bytesMax: number): DynamosError {
  return new DynamosError(ErrorCode.BODY_TOO_LARGE, `the body is over the limit of ${bytesMax} bytes`);
}
