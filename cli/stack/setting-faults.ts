/** Misspelt settings, durations that are none, and times that contradict each other. */

import { durationMs } from "#domain/duration";
import { nearestName } from "#domain/nearest-name";
import { durationEnvironment, knownAnnotations, knownEnvironment, knownLabels } from "./known-names.ts";
import type { StackFunction } from "./read-stack.ts";

export function settingFaults(fn: StackFunction): string[] {
  const at = `functions.${fn.name}`;
  return [
    ...misspelt(`${at}.environment`, fn.environment, knownEnvironment),
    ...misspelt(`${at}.annotations`, fn.annotations, knownAnnotations),
    ...misspelt(`${at}.labels`, fn.labels, knownLabels),
    ...keyFaults(`${at}.annotations`, fn.annotations),
    ...keyFaults(`${at}.labels`, fn.labels),
    ...durationFaults(`${at}.environment`, fn.environment),
    ...agreementFaults(at, fn, "com.dynamos.concurrency", "concurrency"),
    ...agreementFaults(at, fn, "com.dynamos.fuse", "fuse"),
  ];
}

type Settings = Readonly<Record<string, string>>;

/** A name that nobody knows may be a step's own, unless it is nearly one that is known. */
function misspelt(at: string, settings: Settings, known: readonly string[]): string[] {
  return Object.keys(settings).flatMap((name) => {
    const meant = known.includes(name) ? undefined : nearestName(name, known);
    return meant === undefined ? [] : [`${at}: unknown key ${name}; did you mean ${meant}?`];
  });
}

const keyName = /^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)$/;
const keyPrefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const keyPrefixCharsMax = 253;

/** Kubernetes' rule for the keys of labels and annotations: `name` or `example.org/name`. */
function keyFaults(at: string, settings: Settings): string[] {
  return Object.keys(settings).flatMap((key) => {
    const [name = "", prefix, ...more] = key.split("/").reverse();
    const prefixed = prefix === undefined || (keyPrefix.test(prefix) && prefix.length <= keyPrefixCharsMax);
    if (keyName.test(name) && prefixed && more.length === 0) return [];
    return [`${at}: ${JSON.stringify(key)} is no key of Kubernetes: at most 63 letters, digits, -, _ and .`];
  });
}

function durationFaults(at: string, environment: Settings): string[] {
  const faults: string[] = [];
  const ms = new Map<string, number>();
  for (const name of durationEnvironment) {
    const text = environment[name];
    if (text === undefined) continue;
    try {
      ms.set(name, durationMs(text));
    } catch {
      faults.push(`${at}.${name}: ${JSON.stringify(text)} is not a duration like 30s or 1m30s`);
    }
  }
  const exec = ms.get("exec_timeout") ?? 0;
  for (const name of ["read_timeout", "write_timeout"]) {
    const other = ms.get(name);
    // The watchdog would cut the connection of a call that may still run.
    if (other !== undefined && other < exec) faults.push(`${at}.${name}: must not be shorter than exec_timeout`);
  }
  return faults;
}

/** The sidecar reads the annotation, the function the variable. */
function agreementFaults(
  at: string,
  { annotations, environment }: StackFunction,
  annotation: string,
  variable: string,
): string[] {
  const said = annotations[annotation];
  const has = environment[variable];
  if (said === has || (annotations.topic === undefined && said === undefined)) return [];
  const shown = [said, has].map((value) => value ?? "absent");
  return [`${at}: annotation ${annotation} (${shown[0]}) and environment ${variable} (${shown[1]}) must agree`];
}
