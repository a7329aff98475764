import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findTool } from "#testing/find-tool";
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
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-stand-in-"));
    const entryPoints = [resolve(import.meta.dirname, "../testing/watchdog/stand-in.ts")];
    await build({ entryPoints, outfile: join(folder, "stand-in.cjs"), bundle: true, platform: "node" });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  watchdogContract("the stand-in for of-watchdog", () => [process.execPath, join(folder, "stand-in.cjs")]);
});

const real = process.env.OF_WATCHDOG || findTool("of-watchdog", "fwatchdog");
if (real === undefined) {
  console.log("SKIPPED: of-watchdog is neither on the PATH nor in build/tools nor named by OF_WATCHDOG");
} else {
  describe("over of-watchdog", () => watchdogContract("of-watchdog", () => [real]));
}
