/** The child's side of a plain function: one handler, one request, one answer. */
import { serveOneCall } from "../one-call.ts";
import { callHandler, type Handler } from "./call-handler.ts";
import { encodeCall } from "./plain-call.ts";
import { readPlainSettings } from "./plain-settings.ts";

/** @param exported what the handler's file exports: the function, or a namespace with it as `default` */
export async function runPlainWorker(exported: unknown): Promise<void> {
  const handler = handlerOf(exported);
  const { rawBody, bodyBytesMax } = readPlainSettings(process.env);
  const settings = { rawBody, bytesMax: bodyBytesMax };
  const rehearsal = encodeCall({
    method: "POST",
    url: "/rehearsal?warm=1",
    headers: { "content-type": "application/json" },
    body: Buffer.from('{"warm":true}'),
  });
  // The way of a request without the handler: what that does is not ours to repeat.
  await callHandler(({ body }) => body, rehearsal, settings, report);
  await serveOneCall({
    rehearsal: { call: rehearsal, rehearsed: () => {} },
    answer: ({ envelope }) => callHandler(handler, envelope, settings, report),
  });
}

/** @throws TypeError when there is no function: the start fails, and says what was expected */
function handlerOf(exported: unknown): Handler {
  let found = exported;
  for (let depth = 0; depth < 2 && typeof found === "object" && found !== null && "default" in found; depth += 1) {
    found = found.default;
  }
  if (typeof found !== "function") {
    throw new TypeError(
      "the handler's file must export a function (event, context): module.exports = … or export default …",
    );
  }
  return found as Handler;
}

/** The log is the door's, which reads this stream; the caller never sees it. */
function report(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : textOf(error)}\n`);
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
