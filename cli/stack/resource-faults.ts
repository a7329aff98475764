/** Memory and processors: what a function asks for, may take, and will take. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { limits as defaults } from "#domain/limits";
import { quantityOf } from "./quantity.ts";
import type { StackFunction } from "./read-stack.ts";

/** @param home folder of the stack file */
export function resourceFaults(fn: StackFunction, home: string): string[] {
  return [...orderFaults(fn), ...(isSingleUse(fn, home) ? workerFaults(fn) : [])];
}

/** Kubernetes takes no pod that asks for more than it may have. */
function orderFaults({ name, limits, requests }: StackFunction): string[] {
  return (["memory", "cpu"] as const).flatMap((what) => {
    const [limit, request] = [limits?.[what], requests?.[what]];
    if (limit === undefined || request === undefined || quantityOf(request) <= quantityOf(limit)) return [];
    return [`functions.${name}.requests.${what}: ${request} is more than the limit ${limit}`];
  });
}

/** Over its limit the pod is killed, with all the queries that it has in hand. */
function workerFaults({ name, environment, limits }: StackFunction): string[] {
  const memory = limits?.memory;
  if (memory === undefined) return [`functions.${name}.limits: memory is missing: its workers would have no bound`];
  const of = (key: string, otherwise: number) => Number(environment[key] || otherwise);
  const processes = of("pool_size", defaults.poolSizeDefault) + of("concurrency", defaults.concurrencyDefault);
  const memoryMb = of("memory_mb", defaults.workerMemoryMbDefault);
  if (processes * memoryMb * 2 ** 20 <= quantityOf(memory)) return [];
  return [
    `functions.${name}.limits.memory: ${memory} is less than its workers may take: ` +
      `(pool_size + concurrency) × memory_mb = ${processes} × ${memoryMb} MiB`,
  ];
}

/** As its handler says. One in another language says nothing. */
function isSingleUse({ handler }: StackFunction, home: string): boolean {
  try {
    return /isolation: "single-use"/.test(readFileSync(join(home, handler, "handler.ts"), "utf8"));
  } catch {
    return false;
  }
}
