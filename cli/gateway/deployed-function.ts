/** A function of the stack with its process and its counters, and what the REST API says of it. */
import { durationMs } from "#domain/duration";
import type { Log } from "#ports/log";
import type { StackFunction } from "../stack/read-stack.ts";
import { CallCount } from "./call-count.ts";
import { FunctionProcess } from "./function-process.ts";
import { LogRing } from "./log-ring.ts";
import { openfaasNamespace } from "./namespace.ts";

export interface DeployedFunction {
  readonly spec: StackFunction;
  readonly process: FunctionProcess;
  readonly lines: LogRing;
  /** In hand, of this process. */
  readonly calls: CallCount;
  /** As a pod has a name of its own. */
  readonly instance: string;
  readonly createdAt: Date;
  /** Of one call: the environment's `exec_timeout`, as of-watchdog takes it. */
  readonly callMsMax: number;
  invocations: number;
}

/** Also where `exec_timeout` is 0, which for of-watchdog is no limit. */
const callMsMaxDefault = 130_000;

let instances = 0;

/** @param folder holds its bundle's index.js. @throws RangeError when `exec_timeout` is no duration */
export function deploy(
  spec: StackFunction,
  folder: string,
  environment: Readonly<Record<string, string>>,
  log: Log,
): DeployedFunction {
  const lines = new LogRing();
  const process = new FunctionProcess({
    name: spec.name,
    folder,
    environment: { ...spec.environment, ...environment },
    log,
    lines,
  });
  instances += 1;
  return {
    spec,
    process,
    lines,
    calls: new CallCount(),
    instance: `${spec.name}-${instances}`,
    createdAt: new Date(),
    callMsMax: callMsMaxOf(spec),
    invocations: 0,
  };
}

function callMsMaxOf({ name, environment }: StackFunction): number {
  try {
    return durationMs(environment.exec_timeout ?? "0") || callMsMaxDefault;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new RangeError(`exec_timeout of the function ${name}: ${reason}`, { cause });
  }
}

/** FunctionStatus of the OpenFaaS provider SDK: faas-cli's `list` and `describe` read it. */
export function functionStatus({ spec, process, createdAt, invocations }: DeployedFunction) {
  return {
    name: spec.name,
    image: spec.image,
    namespace: spec.namespace ?? openfaasNamespace,
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
