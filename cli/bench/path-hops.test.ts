import { describe, expect, it } from "vitest";
import type { PathMark } from "#sidecar/path-marks";
import { hopsOf } from "./path-hops.ts";

const mark = (what: PathMark["what"], name: string, startedAt: number, endedAt: number): PathMark => ({
  what,
  name,
  startedAt,
  endedAt,
});

const seen = {
  startedAt: 0,
  endedAt: 100,
  serverTiming: "auth;dur=1, body;dur=2, query;dur=80",
  gateway: [{ taken: 2, asked: 3, answered: 95 }],
  marks: [
    mark("publish", "exchange.policy-enforcer", 10, 12),
    mark("handle", "exchange.policy-enforcer", 11, 30),
    mark("invoke", "policy-enforcer", 13, 20),
    mark("record", "", 21, 24),
    mark("publish", "uva.sql-query", 25, 29),
    mark("handle", "uva.sql-query", 28, 70),
    mark("invoke", "uva-sql-query", 30, 60),
    mark("record", "", 60, 63),
    mark("publish", "reply.exchange.one", 64, 68),
    mark("handle", "reply.exchange.one", 66, 67),
  ],
};

describe("the hops of a path", () => {
  it("gives each its own time, and all of them together the whole", () => {
    const hops = hopsOf(seen);
    expect(Object.fromEntries(hops)).toMatchObject({
      "broker: deliver": 1 + 3 + 2,
      "sidecar: before the call": 2 + 2,
      "call of policy-enforcer": 7,
      "call of sql-query": 30,
      "sidecar: record": 3 + 3,
      "sidecar: after the call": 2 + 1,
      "orchestrator and sidecar: gRPC": 80 - (66 - 10),
    });
    expect([...hops.values()].reduce((sum, ms) => sum + ms, 0)).toBe(seen.endedAt - seen.startedAt);
  });

  it("says so when a part of the path was not seen", () => {
    const marks = seen.marks.filter(({ what }) => what !== "invoke");
    expect(() => hopsOf({ ...seen, marks })).toThrow("the hop of exchange.policy-enforcer was not seen whole");
  });
});
