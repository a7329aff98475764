/** FunctionDeployment of the OpenFaaS provider SDK, as faas-cli sends it, read strictly where it matters. */

import type { StackFunction } from "../stack/read-stack.ts";
import { openfaasNamespace } from "./namespace.ts";

export const functionName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

type Json = Readonly<Record<string, unknown>>;

/**
 * Fields that are null count as absent, unknown ones are passed over: both as Go reads it.
 * @throws RangeError naming the field and what it must be
 */
export function deploymentOf(body: unknown): StackFunction {
  const json = objectIn(body, "the body");
  const name = textIn(json, "service") ?? "";
  if (!functionName.test(name)) throw new RangeError(`service: ${JSON.stringify(name)} is no name of a function`);
  const image = textIn(json, "image") ?? "";
  if (image === "") throw new RangeError("image: is missing");
  checkNamespace(textIn(json, "namespace"));
  const fprocess = textIn(json, "envProcess");
  const resources = Object.fromEntries(
    (["limits", "requests"] as const).flatMap((key) => (absent(json[key]) ? [] : [[key, textsIn(json, key)]])),
  );
  return {
    name,
    lang: "",
    handler: "",
    image,
    ...(fprocess === undefined || fprocess === "" ? {} : { fprocess }),
    environment: environmentIn(json),
    secrets: listIn(json, "secrets"),
    labels: textsIn(json, "labels"),
    annotations: textsIn(json, "annotations"),
    constraints: listIn(json, "constraints"),
    readonlyRootFilesystem: json.readOnlyRootFilesystem === true,
    ...resources,
  };
}

/** Every request may name one. @throws RangeError when it is not the one that there is */
export function checkNamespace(namespace: string | undefined): void {
  if (namespace === undefined || namespace === "" || namespace === openfaasNamespace) return;
  throw new RangeError(`namespace ${namespace.slice(0, 64)}: there is only ${openfaasNamespace} here`);
}

/** @throws RangeError */
export function objectIn(value: unknown, where: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new RangeError(`${where}: must be an object`);
}

/** @throws RangeError */
export function textIn(json: Json, key: string): string | undefined {
  const value = json[key];
  if (absent(value)) return undefined;
  if (typeof value === "string") return value;
  throw new RangeError(`${key}: must be text`);
}

function textsIn(json: Json, key: string): Record<string, string> {
  const value = json[key];
  if (absent(value)) return {};
  const entries = Object.entries(objectIn(value, key));
  const wrong = entries.find(([, text]) => typeof text !== "string");
  if (wrong !== undefined) throw new RangeError(`${key}.${wrong[0]}: must be text`);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Kubernetes' rule for the names; a process can't be given a NUL. */
function environmentIn(json: Json): Record<string, string> {
  const environment = textsIn(json, "envVars");
  for (const [name, value] of Object.entries(environment)) {
    if (!/^[-._A-Za-z][-._A-Za-z0-9]*$/.test(name)) throw new RangeError(`envVars: ${JSON.stringify(name)} is no name`);
    if (value.includes("\0")) throw new RangeError(`envVars.${name}: must not hold a NUL`);
  }
  return environment;
}

function listIn(json: Json, key: string): string[] {
  const value = json[key];
  if (absent(value)) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new RangeError(`${key}: must be a list of texts`);
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
