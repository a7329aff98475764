/**
 * What is left of a request's body when its answer is known, as that of a refusal: read and thrown away first. A
 * server of Go on the way, as OpenFaaS' gateway and of-watchdog are, may lose an answer that begins while its request
 * is still sent. Nothing is kept of what comes, so a sender holds a connection and no memory.
 */
import type { IncomingMessage } from "node:http";
import { limits } from "#domain/limits";
import { asksFirst } from "./asks-first.ts";
import { readOn } from "./read-on.ts";

export interface UnwantedBody {
  readonly bytesMax: number;
  /** Absent: as long as something comes, within the server's own time for a request. */
  readonly msMax?: number;
}

/** Resolves at the body's end; sooner where it is over a limit, nothing comes, or too many are read so. */
export type ReadUnwanted = (request: IncomingMessage, limit: UnwantedBody) => Promise<void>;

export function createReadUnwanted(atOnceMax: number = limits.unwantedBodiesAtOnceMax): ReadUnwanted {
  let atOnce = 0;
  return async (request, limit) => {
    const announced = Number(request.headers["content-length"] ?? 0);
    if (request.complete || isHeldBack(request) || announced > limit.bytesMax || atOnce >= atOnceMax) return;
    atOnce++;
    try {
      await endOrLimit(request, limit);
    } finally {
      atOnce--;
    }
  };
}

/** Its client waits for a word, and the answer is that word. */
export function isHeldBack(request: IncomingMessage): boolean {
  return asksFirst(request) && !request.readableDidRead;
}

function endOrLimit(request: IncomingMessage, { bytesMax, msMax }: UnwantedBody): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const count = ({ length }: Buffer) => {
      bytes += length;
      if (bytes > bytesMax) done();
    };
    const done = () => {
      clearTimeout(timer);
      request.off("data", count);
      resolve();
    };
    const timer = msMax === undefined ? undefined : setTimeout(done, msMax);
    request.on("data", count);
    void readOn(request).then(done);
  });
}
