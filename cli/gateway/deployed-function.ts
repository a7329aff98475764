/** A function of the stack with its process and its counters, and what the REST API says of it. */
import { basename, join } from "node:path";
import type { Log } from "#ports/log";
import type { StackFunction } from "../stack/read-stack.ts";
import { FunctionProcess } from "./function-process.ts";
import { LogRing } from "./log-ring.ts";

export interface DeployedFunction {
  readonly spec: StackFunction;
  readonly process: FunctionProcess;
  readonly lines: LogRing;
  readonly createdAt: Date;
  invocations: number;
}

export function deploy(
  spec: StackFunction,
  buildDir: string,
  environment: Readonly<Record<string, string>>,
  log: Log,
): DeployedFunction {
  const lines = new LogRing();
  const folder = join(buildDir, basename(spec.handler));
  const process = new FunctionProcess({
    name: spec.name,
    folder,
    environment: { ...spec.environment, ...environment },
    log,
    lines,
  });
  return { spec, process, lines, createdAt: new Date(), invocations: 0 };
}

/** FunctionStatus of the OpenFaaS provider SDK: faas-cli's `list` and `describe` read it. */
export function functionStatus({ spec, process, createdAt, invocations }: DeployedFunction) {
  return {
    name: spec.name,
    image: spec.image,
    namespace: spec.namespace ?? "openfaas-fn",
    envProcess: spec.fprocess ?? "node index.js",
    envVars: spec.environment,
    constraints: spec.constraints,
    secrets: spec.secrets,
    labels: spec.labels,
    annotations: spec.annotations,
    ...(spec.limits === undefined ? {} : { limits: spec.limits }),
    ...(spec.requests === undefined ? {} : { requests: spec.requests }),
    readOnlyRootFilesystem: spec.readonlyRootFilesystem,
    invocationCount: invocations,
    replicas: 1,
    availableReplicas: process.ready ? 1 : 0,
    createdAt: createdAt.toISOString(),
  };
}
