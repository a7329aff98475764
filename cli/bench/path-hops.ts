/** The milliseconds of one query's path, hop by hop, from what was seen of it. Pure. */
import type { PathMark } from "#sidecar/path-marks";
import type { PathEvents } from "./path-events.ts";

export interface SeenQuery extends PathEvents {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The answer's header. */
  readonly serverTiming: string;
}

/** @returns name of the hop to milliseconds, in the order of the path; they add up to the whole */
export function hopsOf(seen: SeenQuery): Map<string, number> {
  const [call] = seen.gateway;
  const first = seen.marks.find(({ what, name }) => what === "publish" && name === "exchange.policy-enforcer");
  const handled = seen.marks.filter(({ what }) => what === "handle").sort((a, b) => a.startedAt - b.startedAt);
  const last = handled.findLast(({ name }) => name.startsWith("reply."));
  if (call === undefined || first === undefined || last === undefined) throw new Error("the path was not seen whole");
  const { auth = 0, body = 0, query = 0 } = timingsOf(seen.serverTiming);
  const hops = new Map<string, number>();
  const add = (name: string, ms: number) => hops.set(name, (hops.get(name) ?? 0) + ms);
  add("client to gateway", call.taken - seen.startedAt);
  add("gateway: to orchestrator", call.asked - call.taken);
  add("orchestrator: HTTP, answer", call.answered - call.asked - auth - body - query);
  add("orchestrator: token", auth);
  add("orchestrator: body", body);
  add("orchestrator and sidecar: gRPC", query - (last.startedAt - first.startedAt));
  let published = first;
  for (const hop of handled) {
    if (hop.name.startsWith("reply.")) continue;
    published = addHop(hop, published, seen.marks, add);
  }
  add("broker: deliver", last.startedAt - published.startedAt);
  add("gateway to client", seen.endedAt - call.answered);
  return hops;
}

/** One delivery, in which several steps may be called. @returns what it published last */
function addHop(
  hop: PathMark,
  published: PathMark,
  marks: readonly PathMark[],
  add: (name: string, ms: number) => void,
): PathMark {
  const within = (what: PathMark["what"]) =>
    marks.filter((mark) => mark.what === what && mark.startedAt >= hop.startedAt && mark.endedAt <= hop.endedAt);
  const [calls, next] = [within("invoke"), within("publish").at(-1)];
  const [first, last] = [calls[0], calls.at(-1)];
  if (first === undefined || last === undefined || next === undefined) {
    throw new Error(`the hop of ${hop.name} was not seen whole`);
  }
  add("broker: deliver", hop.startedAt - published.startedAt);
  add("sidecar: before the call", first.startedAt - hop.startedAt);
  let [calledMs, at] = [0, last.endedAt];
  for (const call of calls) {
    add(`call of ${call.name.replace(/^(uva|vu|surf)-/, "")}`, call.endedAt - call.startedAt);
    calledMs += call.endedAt - call.startedAt;
  }
  // What the disk does while a step is called costs nothing.
  let recordMs = 0;
  for (const { startedAt, endedAt } of within("record")) {
    if (endedAt <= at) continue;
    recordMs += endedAt - Math.max(startedAt, at);
    at = endedAt;
  }
  add("sidecar: record", recordMs);
  add("sidecar: after the call", next.startedAt - first.startedAt - calledMs - recordMs);
  return next;
}

/** `auth;dur=0.4, body;dur=0.7` */
function timingsOf(header: string): Record<string, number> {
  return Object.fromEntries(
    header.split(",").map((one) => {
      const [name = "", duration = ""] = one.trim().split(";dur=");
      return [name, Number(duration)];
    }),
  );
}
