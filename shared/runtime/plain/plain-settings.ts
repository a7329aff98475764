/** Settings of a plain function, under the names of OpenFaaS' node18 template and of its watchdog. */
import { durationMs } from "#domain/duration";
import { limits } from "#domain/limits";
import type { Environment } from "../config.ts";

export interface PlainSettings {
  /** RAW_BODY: the handler gets every body as a Buffer. */
  readonly rawBody: boolean;
  /** MAX_JSON_SIZE */
  readonly jsonBytesMax: number;
  /** MAX_RAW_SIZE: of every other body. */
  readonly otherBytesMax: number;
  /** The larger of the two. */
  readonly bodyBytesMax: number;
  /** exec_timeout: how long one call may take. */
  readonly execMs: number;
}

/** @throws RangeError for a setting that can't be read: that stops the start */
export function readPlainSettings(environment: Environment): PlainSettings {
  const jsonBytesMax = sizeOf("MAX_JSON_SIZE", environment);
  const otherBytesMax = sizeOf("MAX_RAW_SIZE", environment);
  return {
    rawBody: environment.RAW_BODY === "true",
    jsonBytesMax,
    otherBytesMax,
    bodyBytesMax: Math.max(jsonBytesMax, otherBytesMax),
    execMs: execMs(environment.exec_timeout),
  };
}

const unitBytes: Readonly<Record<string, number>> = { b: 1, kb: 1_024, mb: 1_048_576 };

/** As body-parser reads it: `100kb`, `1mb`, or a number of bytes. */
function sizeOf(name: string, environment: Environment): number {
  const text = environment[name];
  if (!text) return limits.plainBodyBytesDefault;
  const [, number, unit = "b"] = /^(\d+(?:\.\d+)?)\s*(b|kb|mb)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (unitBytes[unit.toLowerCase()] ?? Number.NaN));
  if (!(bytes >= 1 && bytes <= limits.plainBodyBytesMax)) {
    const most = `${limits.plainBodyBytesMax / 1_048_576}mb`;
    throw new RangeError(`environment variable ${name} must be a size from 1b to ${most}, like 100kb`);
  }
  return bytes;
}

/** Absent: the watchdog's default. 0 switches the watchdog's own limit off; a call still ends. */
function execMs(text: string | undefined): number {
  if (!text) return limits.plainExecMsDefault;
  try {
    const ms = durationMs(text);
    return ms === 0 ? limits.plainExecMsMax : Math.min(ms, limits.plainExecMsMax);
  } catch {
    throw new RangeError("environment variable exec_timeout must be a duration like 30s or 1m30s");
  }
}
