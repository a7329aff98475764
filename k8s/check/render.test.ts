/** The renderer against kustomize itself, where that is. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { findTool } from "../../shared/testing/find-tool.ts";
import { type Manifest, titleOf } from "./manifest.ts";
import { render } from "./render.ts";
import { folders } from "./sets.ts";

const home = resolve(import.meta.dirname, "..");

/** kubectl has it inside, some release of it. */
const command = [
  [findTool("kustomize"), "build"],
  [findTool("kubectl"), "kustomize"],
].find((words): words is [string, string] => {
  const [program, action = ""] = words;
  return program !== undefined && spawnSync(program, [action, "--help"], { timeout: 20_000 }).status === 0;
});
if (command === undefined) process.stderr.write("SKIPPED: comparing with kustomize needs kustomize or kubectl here\n");

const byTitle = (manifests: readonly Manifest[]) => Object.fromEntries(manifests.map((one) => [titleOf(one), one]));

describe.skipIf(command === undefined)("the renderer", () => {
  it.each(folders)("makes of %s what kustomize makes of it", async (folder) => {
    const [program = "", action = ""] = command ?? [];
    const { stdout, status, stderr } = spawnSync(program, [action, join(home, folder)], {
      encoding: "utf8",
      maxBuffer: 64 * 1_048_576,
      timeout: 25_000,
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const expected = [...parseAllDocuments(stdout)].map((document) => document.toJS() as Manifest);
    expect(byTitle(await render(join(home, folder)))).toEqual(byTitle(expected));
  });
});
