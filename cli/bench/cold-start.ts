/** How long a function takes from nothing to its first answer, beside a bare Node; written to docs/cold-start.md. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { type SampleCall, sampleGreeting, sampleOrchestrator, sampleSteps } from "#testing/sample-calls";
import { startBundle } from "#testing/started-bundle";
import { bundleFunction } from "../build/bundle-function.ts";
import { median } from "./statistics.ts";

const home = resolve(import.meta.dirname, "../..");
const page = join(home, "docs/cold-start.md");
const measureImport =
  "const t = performance.now(); require(process.argv[1]); process.stdout.write(String(performance.now() - t)); process.exit(0)";

interface Measured {
  readonly name: string;
  readonly sample: SampleCall;
  /** Of the bundle. */
  readonly folder: string;
  /** The handler and its libraries alone. */
  readonly handlerFile: string;
  readonly kib: number;
  readonly importMs: number[];
  readonly readyMs: number[];
  readonly answerMs: number[];
}

/** Functions take turns, and a bare Node before each, so that what else the machine does meets all alike. */
export async function benchColdStart(rounds: number, say: (line: string) => void): Promise<void> {
  // Inside the checkout, where DuckDB's native part is found.
  const folder = await mkdtemp(join(home, "build/cold-start-"));
  const orchestrator = await sampleOrchestrator();
  try {
    const samples = { ...sampleSteps(), orchestrator, "greeter (template's example)": sampleGreeting };
    const measured: Measured[] = [];
    for (const [name, sample] of Object.entries(samples)) measured.push(await bundled(name, sample, folder));
    const [floorMs, loads] = [[] as number[], [loadavg()[0] ?? 0]];
    for (let round = 0; round < rounds; round += 1) {
      for (const each of measured) {
        floorMs.push(timeOf(() => spawnSync(process.execPath, ["-e", "0"])));
        await measureOnce(each);
      }
      loads.push(loadavg()[0] ?? 0);
      say(`cold-start: round ${round + 1} of ${rounds}`);
    }
    const text = pageOf(measured, floorMs, loads, rounds);
    await writeFile(page, text);
    say(text);
  } finally {
    await orchestrator.remove();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function bundled(name: string, sample: SampleCall, within: string): Promise<Measured> {
  const source = name.startsWith("greeter") ? "templates/node18-single-use/function" : `functions/${name}`;
  const [handler, folder] = [join(home, source, "handler.ts"), join(within, name.split(" ")[0] ?? name)];
  const files = await bundleFunction(handler, folder);
  const handlerFile = join(folder, "only-handler.cjs");
  const native = ["@duckdb/node-bindings*", "koffi"];
  const options = { bundle: true, platform: "node", format: "cjs", target: "node18", external: native } as const;
  await build({ entryPoints: [handler], outfile: handlerFile, logLevel: "error", ...options });
  const sizes = await Promise.all(Object.keys(files).map(async (file) => (await stat(join(folder, file))).size));
  const kib = sizes.reduce((sum, bytes) => sum + bytes, 0) / 1_024;
  return { name, sample, folder, handlerFile, kib, importMs: [], readyMs: [], answerMs: [] };
}

async function measureOnce({ sample, folder, handlerFile, ...times }: Measured): Promise<void> {
  const { stdout } = spawnSync(process.execPath, ["-e", measureImport, handlerFile], { encoding: "utf8" });
  times.importMs.push(Number(stdout));
  const startedAt = performance.now();
  const started = await startBundle(folder, { pool_size: "1", ...sample.environment });
  times.readyMs.push(performance.now() - startedAt);
  try {
    await sample.call(started.url);
    times.answerMs.push(performance.now() - startedAt);
  } finally {
    await started.stop();
  }
}

function timeOf(once: () => void): number {
  const startedAt = performance.now();
  once();
  return performance.now() - startedAt;
}

const shown = (values: readonly number[]) =>
  `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`;

function pageOf(measured: readonly Measured[], floorMs: readonly number[], loads: readonly number[], rounds: number) {
  const rows = measured.map(
    ({ name, kib, importMs, readyMs, answerMs }) =>
      `| ${name} | ${kib.toFixed(0)} | ${shown(importMs)} | ${shown(readyMs)} | ${shown(answerMs)} |`,
  );
  const [cpu] = cpus();
  return `# Cold start

How long a function's process takes from nothing to its first answer. Written by \`npm run bench -- cold-start\`.

| function | bundle KiB | import ms | ready ms | first answer ms |
|---|---|---|---|---|
| a bare \`node -e 0\` | | | ${shown(floorMs)} | |
${rows.join("\n")}

Milliseconds: the median of ${rounds} runs, with the shortest and the longest. Functions took turns in each round, a bare Node before each.

- **bundle**: the door, its worker and the JSON codec, as built; DuckDB's library is not in it.
- **import**: the handler and its libraries alone, loaded by a fresh Node.
- **ready**: from the start of the process until \`/_/ready\` would say 200. A single-use function has by then started its door, then its first worker, and the worker has rehearsed; with \`pool_size=1\`.
- **first answer**: from the start of the process until a real call was answered. Its own share is the difference to *ready*: later calls find a worker that is as ready.

Measured on ${cpu?.model.trim() ?? "an unknown processor"}, ${cpus().length} processors, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.versions.node}. The load of the machine was ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)} meanwhile: above the number of processors others had a part of it, and the figures are too high; compare them within the table only. The gateway is not in them, nor a container: for two images, from the start of the container to the first answer, .ci/try-image.sh measures it, and [the template's page](../templates/node18-single-use/README.md) has a run.
`;
}
