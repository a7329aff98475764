/** What is left of a request's body when its answer is known: read and thrown away first, so that the answer arrives. */
import type { IncomingMessage } from "node:http";
import { limits } from "#domain/limits";
import { readOn } from "#runtime/read-on";

/**
 * Servers of Go, as OpenFaaS has them in front, may lose an answer that begins while its request is still sent.
 * Nothing is kept of what comes, and Node would read it after the answer anyway: a sender holds a connection, no
 * memory and no place among those whose bodies are read. Over the limit, after so long, after a silence, and for
 * one too many the answer goes out at once.
 */
export function createUnwantedBodies(atOnceMax: number): (incoming: IncomingMessage) => Promise<void> {
  let reading = 0;
  return async (incoming) => {
    if (incoming.complete || incoming.destroyed || reading >= atOnceMax) return;
    // A client that asked whether to send (RFC 9110 section 10.1.1), and was not told to, sends nothing.
    if (incoming.headers.expect !== undefined && incoming.readableFlowing === null) return;
    if (Number(incoming.headers["content-length"] ?? 0) > limits.unwantedBodyBytesMax) return;
    reading += 1;
    try {
      await enough(incoming);
    } finally {
      reading -= 1;
    }
  };
}

function enough(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const take = ({ length }: Buffer) => {
      bytes += length;
      if (bytes > limits.unwantedBodyBytesMax) done();
    };
    const done = () => {
      clearTimeout(timer);
      incoming.off("data", take);
      resolve();
    };
    const timer = setTimeout(done, limits.apiBodyMsMax);
    incoming.on("data", take);
    void readOn(incoming).then(done);
  });
}
