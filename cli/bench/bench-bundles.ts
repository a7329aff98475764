/**
 * The functions' bundles for each kind of workers. Four are settings that anybody may choose; two are made for
 * measuring alone and can't be deployed: "cold" has no worker ready and starts one for each call, "long-lived" runs
 * the steps in the door's own process, again and again, with no isolation at all.
 */
import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { functionNames } from "../build/functions.ts";
import { home } from "../stack/parties.ts";

/** `fused`: the steps of one party after its query run in the query's process. */
export type Workers = "default" | "fused" | "fork" | "spawn" | "cold" | "long-lived";

export interface Bundles {
  readonly folder: string;
  /** Settings of a function, by its name in the stack. */
  environmentOf(name: string): Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

const built = join(home, "build/functions");

/** Needs what `npm run build` has made. */
export async function bundlesOf(workers: Workers): Promise<Bundles> {
  const environmentOf = (name: string) => settingsOf(workers, name);
  if (workers !== "cold" && workers !== "long-lived") return { folder: built, environmentOf, remove: async () => {} };
  // Inside the checkout, where DuckDB's native part is found.
  const folder = await mkdtemp(join(home, `build/bench-${workers}-`));
  const atExit = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", atExit);
  const remove = async () => {
    process.off("exit", atExit);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await cp(built, folder, { recursive: true });
    for (const name of await functionNames(home)) await replaceDoor(name, workers, join(folder, name, "index.js"));
    return { folder, environmentOf, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function settingsOf(workers: Workers, name: string): Record<string, string> {
  if (workers === "fork" || workers === "spawn") return { worker_backend: workers };
  return workers === "fused" && name.endsWith("-sql-query") ? { fuse: "sql-anonymize,sql-algorithm" } : {};
}

/** Of a step that runs in workers; the other functions stay as they are. */
async function replaceDoor(name: string, workers: "cold" | "long-lived", outfile: string): Promise<void> {
  const handler = join(home, "functions", name, "handler.ts");
  const { default: definition } = (await import(handler)) as { default: { isolation?: string } };
  if (definition.isolation !== "single-use") return;
  const door = JSON.stringify(join(import.meta.dirname, `${workers}-door.ts`));
  const contents = `import { serve } from ${door};
import step from ${JSON.stringify(handler)};
serve(step, __dirname);`;
  await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    target: "node18",
    format: "cjs",
    external: ["@duckdb/node-bindings*", "pg", "koffi"],
    logLevel: "warning",
  });
}
