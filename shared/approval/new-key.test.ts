import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const home = join(import.meta.dirname, "../..");
const keys = 20_000;

/** In a process of its own, as the hang can't be interrupted: with key objects that were generated, Node 20 does within some thousand; often collected garbage makes it likely. */
it("makes keys that can be exported, however often", { timeout: 120_000 }, async () => {
  const code = `import { makeApprovalKeys } from "./shared/approval/make-keys.ts";
    for (let made = 0; made < ${keys}; made++) makeApprovalKeys("k");
    console.log("made");`;
  const node = ["--max-semi-space-size=1", "--import", "tsx", "--input-type=module", "-e", code];
  const { stdout } = await promisify(execFile)(process.execPath, node, { cwd: home, timeout: 100_000 });
  expect(stdout).toBe("made\n");
});
