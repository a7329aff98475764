/** What happens in this process while a query is answered: HTTP requests by Node's own channels, and the sidecars' marks. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { type PathMark, pathMarks } from "#sidecar/path-marks";

export interface PathEvents {
  readonly marks: readonly PathMark[];
  /** When the gateway had a request's head, asked a function, and had the head of its answer; by `performance.now()`. */
  readonly gateway: readonly { readonly taken: number; readonly asked: number; readonly answered: number }[];
}

/** Until it is stopped. Queries must come one after the other: nothing says whose an event is. */
export function watchPath(): { take(): PathEvents; stop(): void } {
  let marks: PathMark[] = [];
  let calls: { path: string; taken: number; asked: number; answered: number }[] = [];
  const onMark = (mark: unknown) => void marks.push(mark as PathMark);
  const onTaken = (message: unknown) => {
    const { url = "" } = (message as { request: IncomingMessage }).request;
    if (!url.startsWith("/function/orchestrator/")) return;
    calls.push({ path: url.slice("/function/orchestrator".length), taken: performance.now(), asked: 0, answered: 0 });
  };
  const find = (message: unknown) => {
    const { path } = (message as { request: ClientRequest }).request;
    return calls.find((call) => call.path === path && call.answered === 0);
  };
  const onAsked = (message: unknown) => {
    const call = find(message);
    if (call !== undefined) call.asked = performance.now();
  };
  const onAnswered = (message: unknown) => {
    const call = find(message);
    if (call !== undefined) call.answered = performance.now();
  };
  const listeners = [
    [pathMarks.name, onMark],
    ["http.server.request.start", onTaken],
    ["http.client.request.start", onAsked],
    ["http.client.response.finish", onAnswered],
  ] as const;
  for (const [name, listener] of listeners) subscribe(name, listener);
  return {
    take: () => {
      const seen = { marks, gateway: calls };
      [marks, calls] = [[], []];
      return seen;
    },
    stop: () => {
      for (const [name, listener] of listeners) unsubscribe(name, listener);
    },
  };
}
