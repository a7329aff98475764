/**
 * The functions' bundles for each kind of workers. Four are settings that anybody may choose; two are made for
 * measuring alone and can't be deployed: "cold" has no worker ready and starts one for each call, unrehearsed;
 * "long-lived" runs the steps in the door's own process, again and again, with no isolation at all.
 */
import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { functionNames } from "../build/functions.ts";
import { home } from "../stack/parties.ts";
import type { StackFunction } from "../stack/read-stack.ts";

/** `fused`: the steps of one party after its query run in the query's process. */
export type Workers = "default" | "fused" | "fork" | "spawn" | "cold" | "long-lived";

export interface Bundles {
  readonly folder: string;
  /** Of a function, by its name in the stack. */
  settingsOf(name: string): FunctionSettings;
  remove(): Promise<void>;
}

/** What is set otherwise than in the stack file. */
export type FunctionSettings = Partial<Pick<StackFunction, "environment" | "annotations">>;

const built = join(home, "build/functions");

/** Needs what `npm run build` has made. */
export async function bundlesOf(workers: Workers): Promise<Bundles> {
  const settingsOf = (name: string) => settingsFor(workers, name);
  if (workers !== "cold" && workers !== "long-lived") return { folder: built, settingsOf, remove: async () => {} };
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
    for (const name of await functionNames(home)) await replaceDoor(name, workers, join(folder, name));
    return { folder, settingsOf, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function settingsFor(workers: Workers, name: string): FunctionSettings {
  if (workers === "fork" || workers === "spawn") return { environment: { worker_backend: workers } };
  const fuse = workers === "fused" ? fusedBy(name) : undefined;
  // The function reads the one, the sidecar the other.
  return fuse === undefined ? {} : { environment: { fuse }, annotations: { "com.dynamos.fuse": fuse } };
}

function fusedBy(name: string): string | undefined {
  if (name.endsWith("-sql-query")) return "sql-anonymize,sql-algorithm";
  return name.endsWith("-sql-aggregate") ? "sql-algorithm" : undefined;
}

/** Of a step that runs in workers; the other functions stay as they are. */
async function replaceDoor(name: string, workers: "cold" | "long-lived", folder: string): Promise<void> {
  const handler = join(home, "functions", name, "handler.ts");
  const { default: definition } = (await import(handler)) as { default: { isolation?: string } };
  if (definition.isolation !== "single-use") return;
  const door = JSON.stringify(join(import.meta.dirname, `${workers}-door.ts`));
  const importStep = `import step from ${JSON.stringify(handler)};`;
  await bundle(`import { serve } from ${door};\n${importStep}\nserve(step, __dirname);`, join(folder, "index.js"));
  if (workers !== "cold") return;
  // Whoever waits for the process to start would wait for its rehearsal too.
  const run = "void runWorker({ ...step, rehearse: undefined, prepare: undefined });";
  await bundle(`import { runWorker } from "#runtime/worker";\n${importStep}\n${run}`, join(folder, "worker.js"));
}

async function bundle(contents: string, outfile: string): Promise<void> {
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
