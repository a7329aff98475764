import type { IncomingMessage, ServerResponse } from "node:http";

/** How long what the client still sends is thrown away after the answer, so that it reads the answer. */
const lingerMs = 500;
/** So often the same again, while more comes on a connection that the client may use again. */
const lingersMax = 10;

/** Also where the client still sends, as when it is refused. */
export function endAnswer(request: IncomingMessage, response: ServerResponse, body: string | Uint8Array): void {
  if (request.complete) response.end(body);
  else endEarly(request, response, body);
}

/**
 * Answers while the client still sends. The answer is complete for the client at once, but the
 * connection closes a little later: closing it with unread data in it would reset it, and the
 * client might never see the answer. Left as it is, the next request on it would wait behind the rest of this one.
 */
function endEarly(request: IncomingMessage, response: ServerResponse, body: string | Uint8Array): void {
  const { socket } = request;
  if (response.headersSent) {
    response.end(body);
  } else {
    response.setHeader("connection", "close");
    response.write(body);
    // Node closes the connection with it.
    request.once("end", () => response.end());
  }
  let lingers = 0;
  let bytes = socket.bytesRead;
  const timer = setInterval(() => {
    response.end();
    lingers += 1;
    if (request.complete) {
      clearInterval(timer);
    } else if (socket.bytesRead === bytes || lingers === lingersMax) {
      clearInterval(timer);
      socket.destroySoon();
    }
    bytes = socket.bytesRead;
  }, lingerMs);
  socket.once("close", () => clearInterval(timer));
  // Who reads the body may look for more of it until its own end; then this one reads on.
  request.on("data", () => {}).resume();
}
