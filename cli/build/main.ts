/** `npm run build`: bundles what has changed. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildFunctions } from "./functions.ts";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const startedAt = performance.now();
const built = await buildFunctions({ home, force: process.argv.includes("--force") });
if (built !== undefined) {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stderr.write(`built ${built.length} functions in ${seconds} s: ${built.join(", ")}\n`);
}
