import { constants, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ChainFile } from "./chain-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "dynamos-chain-")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Of the descriptors that this process has open for it, as the kernel tells them (proc(5), fdinfo). */
function flagsOf(path: string): number[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      if (readlinkSync(`/proc/self/fd/${descriptor}`) !== path) return [];
      const [, flags = ""] = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
      return [Number.parseInt(flags, 8)];
    } catch {
      // The one that listed them.
      return [];
    }
  });
}

describe.skipIf(process.platform !== "linux")("a chain's file", () => {
  // Only a power cut would show the loss itself.
  it("is written durably and at its end, whether made, opened again or repaired", async () => {
    const path = join(folder, "one.000001.jsonl");
    const wanted = constants.O_DSYNC | constants.O_APPEND;
    const isSo = () => flagsOf(path).map((flags) => (flags & wanted) === wanted);
    const made = await ChainFile.create(path);
    expect(isSo()).toEqual([true]);
    await made.append(Buffer.from("a\n"));
    await made.close();
    const again = await ChainFile.reopen(path, 2);
    expect(isSo()).toEqual([true]);
    await again.repair();
    expect(isSo()).toEqual([true]);
    await again.append(Buffer.from("b\n"));
    await again.close();
    expect(readFileSync(path, "utf8")).toBe("a\nb\n");
  });
});
