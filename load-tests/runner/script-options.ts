/** `options` of a script, as far as the runner goes: anything else is refused, so that nothing is silently left out. */
import { durationMs } from "./duration.ts";

export interface Stage {
  readonly target: number;
  readonly durationMs: number;
}

interface Common {
  readonly name: string;
  readonly exec: string;
  readonly startMs: number;
}

export type ScenarioPlan = Common &
  (
    | { readonly executor: "shared-iterations" | "per-vu-iterations"; vus: number; iterations: number; maxMs: number }
    | { readonly executor: "constant-vus"; readonly vus: number; readonly forMs: number }
    | {
        readonly executor: "arrival-rate";
        startPerMs: number;
        stages: readonly Stage[];
        unitMs: number;
        vusMax: number;
      }
  );

export interface ScriptOptions {
  readonly scenarios: readonly ScenarioPlan[];
  /** Expressions by metric, or metric with tags. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
}

type Fields = Readonly<Record<string, unknown>>;

const minuteMs = 60_000;
const known = ["scenarios", "thresholds"];
const common = ["executor", "exec", "startTime", "gracefulStop"];
const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  "shared-iterations": ["vus", "iterations", "maxDuration"],
  "per-vu-iterations": ["vus", "iterations", "maxDuration"],
  "constant-vus": ["vus", "duration"],
  "constant-arrival-rate": ["rate", "timeUnit", "duration", "preAllocatedVUs", "maxVUs"],
  "ramping-arrival-rate": ["startRate", "timeUnit", "stages", "preAllocatedVUs", "maxVUs"],
};

/** @param exports functions that the script has. @throws Error naming what the runner does not do, or is wrong */
export function readOptions(options: unknown, exports: readonly string[]): ScriptOptions {
  const { scenarios, thresholds = {} } = onlyKnown("options", options as Fields, known);
  if (scenarios === undefined) throw new Error("options.scenarios is missing: the runner needs it");
  return {
    scenarios: Object.entries(scenarios as Fields).map(([name, fields]) => planOf(name, fields as Fields, exports)),
    thresholds: Object.fromEntries(
      Object.entries(thresholds as Fields).map(([metric, list]) => [metric, expressionsOf(metric, list)]),
    ),
  };
}

function planOf(name: string, fields: Fields, exports: readonly string[]): ScenarioPlan {
  const executor = String(fields.executor);
  const own = fieldsOf[executor];
  if (own === undefined) {
    throw new Error(
      `scenario ${name}: the runner has no executor ${executor}: it has ${Object.keys(fieldsOf).join(", ")}`,
    );
  }
  onlyKnown(`scenario ${name}`, fields, [...common, ...own]);
  const exec = String(fields.exec ?? "default");
  if (!exports.includes(exec)) throw new Error(`scenario ${name}: the script has no function ${exec}`);
  const number = (field: string, otherwise?: number) =>
    numberOf(`scenario ${name}: ${field}`, fields[field] ?? otherwise);
  const time = (field: string, otherwise: string) =>
    durationMs(`scenario ${name}: ${field}`, fields[field] ?? otherwise);
  const base = { name, exec, startMs: time("startTime", "0s") };
  switch (executor) {
    case "shared-iterations":
    case "per-vu-iterations": {
      const maxMs = time("maxDuration", "10m");
      return { ...base, executor, vus: number("vus", 1), iterations: number("iterations", 1), maxMs };
    }
    case "constant-vus":
      return { ...base, executor, vus: number("vus", 1), forMs: time("duration", "") };
    default: {
      const unitMs = time("timeUnit", "1s");
      const vusMax = number("maxVUs", number("preAllocatedVUs"));
      const isConstant = executor === "constant-arrival-rate";
      const startPerMs = number(isConstant ? "rate" : "startRate", isConstant ? undefined : 0) / unitMs;
      const stages = isConstant
        ? [{ target: number("rate"), durationMs: time("duration", "") }]
        : (fields.stages as Fields[]).map(({ target, duration }, i) => ({
            target: numberOf(`scenario ${name}: stages[${i}].target`, target),
            durationMs: durationMs(`scenario ${name}: stages[${i}].duration`, duration),
          }));
      return { ...base, executor: "arrival-rate", startPerMs, stages, unitMs, vusMax };
    }
  }
}

function expressionsOf(metric: string, list: unknown): string[] {
  if (!Array.isArray(list) || !list.every((one): one is string => typeof one === "string")) {
    throw new Error(`thresholds of ${metric}: the runner takes a list of texts`);
  }
  return list;
}

function onlyKnown(where: string, fields: Fields, names: readonly string[]): Fields {
  const other = Object.keys(fields).find((name) => !names.includes(name));
  if (other !== undefined) throw new Error(`${where}: the runner does not do ${other}`);
  return fields;
}

function numberOf(what: string, value: unknown): number {
  if (typeof value !== "number" || !(value >= 0) || value > minuteMs * 1_000)
    throw new Error(`${what}: must be a number from 0`);
  return value;
}
