/** Every function's bundle, called once on each Node that images are based on; vitest itself needs a newer one than 18. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleGreeting, sampleOrchestrator, sampleSteps } from "#testing/sample-calls";
import { startBundle } from "#testing/started-bundle";
import { bundleFunction } from "./bundle-function.ts";

const home = resolve(import.meta.dirname, "../..");
const nodes = [18, 22].map((major) => ({ major, node: join(home, `build/nodes/node_modules/node${major}/bin/node`) }));
const [steps, orchestrator] = [sampleSteps(), await sampleOrchestrator()];
const calls = { ...steps, orchestrator, greeter: sampleGreeting };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-nodes-"));
  // Where DuckDB's native part is found; each bundle is in a folder below.
  await symlink(join(home, "node_modules"), join(folder, "node_modules"));
  for (const name of Object.keys(calls)) {
    const source = name === "greeter" ? "templates/node18-single-use/function" : `functions/${name}`;
    await bundleFunction(join(home, source, "handler.ts"), join(folder, name));
  }
}, 60_000);
afterAll(async () => {
  await orchestrator.remove();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Plain handlers never are. */
function isForked(name: string): boolean {
  return process.platform === "linux" && name !== "greeter" && existsSync(join(folder, name, "worker.js"));
}

describe.each(nodes)("on Node $major", ({ major, node }) => {
  const isThere = existsSync(node);
  if (!isThere) console.log(`SKIPPED: Node ${major} is not in build/nodes; .ci/install-nodes.sh gets it from npm`);

  it.skipIf(!isThere).each(Object.entries(calls))("%s starts, and answers a real call", async (name, sample) => {
    const started = await startBundle(join(folder, name), { pool_size: "1", ...sample.environment }, node);
    try {
      await sample.call(started.url).catch((error: Error) => {
        throw new Error(`${error.message}\n${started.log()}`);
      });
      // Where forking were not sound it would be spawned without a word but this, and answer all the same.
      if (isForked(name)) expect(started.log()).toContain('"backend":"fork"');
    } finally {
      await started.stop();
    }
  });
});
