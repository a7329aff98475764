import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTool } from "#testing/find-tool";
import { type BundledStandIn, bundledStandIn } from "#testing/watchdog/bundled-stand-in";
import { watchdogContract } from "#testing/watchdog/contract";
import { watchdogOf } from "./watchdog.ts";

describe("the watchdog in front of a function", () => {
  it("is known by the setting without which it does not start", () => {
    expect(watchdogOf({ write_timeout: "10s" })).toBeUndefined();
    const environment = { upstream_url: "http://127.0.0.1:3000", write_timeout: "1m5s", healthcheck_interval: "5s" };
    expect(watchdogOf(environment)).toEqual({ settleMs: 5_000, drainMs: 65_000 });
  });

  it("settles for as long as it drains, half a minute each, where nothing is set", () => {
    expect(watchdogOf({ upstream_url: "http://x" })).toEqual({ settleMs: 30_000, drainMs: 30_000 });
    expect(watchdogOf({ upstream_url: "http://x", write_timeout: "7" })).toEqual({ settleMs: 7_000, drainMs: 7_000 });
  });

  it.each(["write_timeout", "healthcheck_interval"])("must have a duration as its %s", (name) => {
    expect(() => watchdogOf({ upstream_url: "http://x", [name]: "soon" })).toThrow(
      `environment variable ${name} must be a duration like 30s or 1m30s`,
    );
  });
});

describe("over the stand-in", () => {
  let standIn: BundledStandIn;
  beforeAll(async () => {
    standIn = await bundledStandIn();
  });
  afterAll(() => standIn?.remove());
  watchdogContract("the stand-in for of-watchdog", () => standIn.command);
});

const real = process.env.OF_WATCHDOG || findTool("of-watchdog", "fwatchdog");
if (real === undefined) {
  console.log("SKIPPED: of-watchdog is neither on the PATH nor in build/tools nor named by OF_WATCHDOG");
} else {
  describe("over of-watchdog", () => watchdogContract("of-watchdog", () => [real]));
}
