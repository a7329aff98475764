import type { IncomingMessage } from "node:http";
import { limits } from "#domain/limits";

/**
 * Throws away what is still to come of a request. Resolves at its end, and when nothing more comes for a while:
 * then there is only an early answer left, which a server of Go on its way may lose.
 */
export function readOn(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (request.complete || request.destroyed) return resolve();
    const { socket } = request;
    let bytes = socket.bytesRead;
    const timer = setInterval(() => {
      if (socket.bytesRead === bytes) done();
      bytes = socket.bytesRead;
    }, limits.readOnQuietMs);
    const done = () => {
      clearInterval(timer);
      resolve();
    };
    request.once("end", done).once("close", done);
    // Who reads the body may look for more of it until its own end; then this one reads on.
    request.on("data", () => {}).resume();
  });
}
