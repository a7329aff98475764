import { describe, expect, it } from "vitest";
import { createServerTiming } from "./server-timing.ts";

describe("server timing", () => {
  it("gives each mark the time since the one before it, rounded to a tenth of a millisecond", () => {
    let now = 100;
    const timing = createServerTiming(() => now);
    now = 100.44;
    timing.mark("auth");
    now = 101.5;
    timing.mark("body");
    now = 250;
    timing.mark("query");
    expect(timing.header).toBe("auth;dur=0.4, body;dur=1.1, query;dur=148.5");
  });

  it("is empty where nothing was marked", () => {
    expect(createServerTiming().header).toBe("");
  });
});
