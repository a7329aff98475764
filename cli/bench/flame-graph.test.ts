import { describe, expect, it } from "vitest";
import { type CpuProfile, flameSvg, framesOf } from "./flame-graph.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 0 });
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame("(root)"), children: [2, 5] },
    { id: 2, callFrame: frame("deliver", "file:///home/someone/checkout/shared/sidecar/deliver.ts"), children: [3, 4] },
    { id: 3, callFrame: frame("verify", "node:crypto") },
    { id: 4, callFrame: frame("a<b>", "file:///home/someone/checkout/node_modules/amqplib/lib/mux.js") },
    { id: 5, callFrame: frame("(idle)") },
  ],
  samples: [2, 3, 3, 4, 5],
  timeDeltas: [1_000, 2_000, 3_000, 100, 50_000],
};
const options = { title: "a path", shareMin: 0.01, depthMax: 10 };

describe("a flame graph", () => {
  it("gives each frame the time of its own samples and of what it called, and none to waiting", () => {
    const all = framesOf(new Map([["sidecar", [profile]]]));
    const sidecar = all.callers.get("sidecar");
    const deliver = sidecar?.callers.get("deliver shared/sidecar/deliver.ts");
    expect([all.ms, sidecar?.ms, deliver?.ms, deliver?.callers.get("verify node:crypto")?.ms]).toEqual([
      6.1, 6.1, 6.1, 5,
    ]);
    expect([...(sidecar?.callers.keys() ?? [])]).toEqual(["deliver shared/sidecar/deliver.ts"]);
  });

  it("adds up the same stack of several profiles of one process", () => {
    expect(framesOf(new Map([["sidecar", [profile, profile]]])).ms).toBeCloseTo(12.2);
  });

  it("is SVG that holds names as text, and no path of the machine that it was measured on", () => {
    const svg = flameSvg(framesOf(new Map([["sidecar", [profile]]])), options);
    expect(svg).toContain("a&#60;b&#62; amqplib/lib/mux.js: 0.1 ms, 1.6 %");
    expect(svg).not.toMatch(/home|checkout|<script/);
  });

  it("leaves out what is too small or too deep to be seen", () => {
    const all = framesOf(new Map([["sidecar", [profile]]]));
    expect(flameSvg(all, { ...options, shareMin: 0.05 })).not.toContain("mux.js");
    expect(flameSvg(all, { ...options, depthMax: 2 })).not.toContain("verify");
  });
});
