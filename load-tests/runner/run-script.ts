/** Runs one k6 script: setup(), its scenarios, teardown(), its thresholds. */
import { bundleScript } from "./bundle-script.ts";
import { createCrew } from "./crew.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { runScenario } from "./run-scenario.ts";
import { readOptions } from "./script-options.ts";
import { type Judged, judge } from "./thresholds.ts";
import { startVirtualUser, type VirtualUser } from "./virtual-user.ts";

export interface RunOptions {
  /** Path of the script. */
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (level: string, text: string) => void;
}

export interface LoadResult {
  readonly metrics: Metrics;
  readonly thresholds: readonly Judged[];
  /** What iterations threw, each once. */
  readonly errors: readonly string[];
  /** Whether every threshold holds and no iteration threw. */
  readonly passed: boolean;
}

/** Threads cost memory and switches: who needs more needs k6. */
const usersMax = 200;
const plain = { name: "", executor: "", startTimeMs: 0, progress: 0, iterationInTest: 0 };

/** @throws Error where the script can't be loaded or asks for what the runner does not do, or its setup() throws */
export async function runScript({ script, environment, log }: RunOptions): Promise<LoadResult> {
  const { file, remove } = await bundleScript(script);
  const metrics = createMetrics();
  const events = {
    metric: metrics.declare,
    sample: (name: string, value: number, atMs: number, tags: Readonly<Record<string, string>>) =>
      metrics.add(name, { value, atMs, tags }),
    log,
  };
  const crew = createCrew((id) => startVirtualUser({ id, file, environment, events }), usersMax);
  const errors = new Set<string>();
  try {
    const first = await crew.take();
    if (first === undefined) throw new Error("no virtual user could be started");
    const { scenarios, thresholds } = readOptions(first.options, first.exports);
    // A threshold that can't be read is known before the load, not after it.
    judge(thresholds, metrics);
    const data = await special(first, "setup", undefined);
    crew.giveBack(first);
    const count = (metric: string, scenario: string) =>
      metrics.add(metric, { value: 1, atMs: Date.now(), tags: { scenario } });
    try {
      await Promise.all(
        scenarios.map((plan) =>
          runScenario({
            plan,
            crew,
            data,
            ended: (name, error) => {
              count("iterations", name);
              if (error !== undefined) errors.add(`${name}: ${error}`);
            },
            dropped: (name) => count("dropped_iterations", name),
          }),
        ),
      );
    } finally {
      const last = await crew.take();
      if (last !== undefined) await special(last, "teardown", data);
    }
    const judged = judge(thresholds, metrics);
    const passed = errors.size === 0 && judged.every(({ holds }) => holds);
    return { metrics, thresholds: judged, errors: [...errors], passed };
  } finally {
    await crew.end();
    await remove();
  }
}

async function special(user: VirtualUser, exec: "setup" | "teardown", data: unknown): Promise<unknown> {
  return user.exports.includes(exec) ? user.run({ exec, data, scenario: plain }) : undefined;
}
