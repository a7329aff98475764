/**
 * A refusal waits for the body that it does not need: where a client still sends when its answer begins, a server of Go
 * on the way, as OpenFaaS' gateway and of-watchdog are, may lose the answer.
 */
import type { IncomingMessage } from "node:http";
import { limits } from "#domain/limits";
import { readOn } from "./read-on.ts";

/** Resolves when the body has been thrown away; sooner where it is over the limit, too many are read so, or none comes. */
export type ReadRefused = (request: IncomingMessage, bytesMax: number) => Promise<void>;

export function createReadRefused(atOnceMax: number = limits.unwantedBodiesAtOnceMax): ReadRefused {
  let atOnce = 0;
  return async (request, bytesMax) => {
    const announced = Number(request.headers["content-length"] ?? 0);
    if (request.complete || isHeldBack(request) || announced > bytesMax || atOnce >= atOnceMax) return;
    atOnce++;
    try {
      await Promise.race([readOn(request), bytesOver(request, bytesMax)]);
    } finally {
      atOnce--;
    }
  };
}

/** Its client waits for a word before it sends the body; the refusal is that word. */
export function isHeldBack(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === "100-continue" && !request.readableDidRead;
}

function bytesOver(request: IncomingMessage, bytesMax: number): Promise<void> {
  let bytes = 0;
  return new Promise((resolve) => {
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) resolve();
    });
  });
}
