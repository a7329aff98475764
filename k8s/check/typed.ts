/** Each field of a manifest against its type: what kubectl may ignore or the API server refuse is an error here. */
import { nearestName } from "#domain/nearest-name";
import { schemaCheck } from "./json-schema.ts";
import { clusterKinds, kinds } from "./kinds.ts";
import { isObject, type Manifest } from "./manifest.ts";
import { fieldsOf } from "./models.ts";
import { valueFault } from "./values.ts";

const schemaFiles = [...new Set(Object.values(kinds).flatMap((kind) => ("schema" in kind ? [kind.schema] : [])))];
const schemas = new Map(await Promise.all(schemaFiles.map(async (file) => [file, await schemaCheck(file)] as const)));

/** One sentence for each fault, with its path: `spec.replicas: must be a whole number`. */
export function typeFaults(manifest: Manifest): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const known = kinds[`${apiVersion} ${kind}`];
  if (known === undefined) return [`${apiVersion} ${kind} is not a kind that is used here`];
  const faults =
    "model" in known ? faultsOf(manifest, known.model, "", "") : (schemas.get(known.schema)?.(manifest) ?? []);
  if (clusterKinds.includes(kind) === (metadata?.namespace !== undefined)) {
    faults.push(`metadata.namespace: ${clusterKinds.includes(kind) ? "is not for this kind" : "is missing"}`);
  }
  return faults;
}

/** @param owner of the field, `V1Container.image`; empty for the whole manifest */
function faultsOf(value: unknown, type: string, path: string, owner: string): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path}: must be a list`];
    return value.flatMap((item, index) => faultsOf(item, list, `${path}[${index}]`, owner));
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    if (!isObject(value)) return [`${path}: must be a map`];
    return Object.entries(value).flatMap(([key, item]) => faultsOf(item, map, `${path}[${key}]`, owner));
  }
  const fields = fieldsOf(type);
  if (fields === undefined || type === "IntOrString") return scalarFaults(value, type, path, owner);
  if (!isObject(value)) return [`${path}: must be a map`];
  const missing = [...fields.values()].filter(({ name, isRequired }) => isRequired && value[name] === undefined);
  return [
    ...missing.map(({ name }) => `${joined(path, name)}: is missing`),
    ...Object.entries(value).flatMap(([name, child]) => {
      const field = fields.get(name);
      if (field === undefined) return [unknownField(path, name, [...fields.keys()])];
      const at = joined(path, name);
      if (field.type === "number" && field.format.startsWith("int") && !Number.isInteger(child)) {
        return [`${at}: must be a whole number`];
      }
      return faultsOf(child, field.type, at, `${type}.${name}`);
    }),
  ];
}

function scalarFaults(value: unknown, type: string, path: string, owner: string): string[] {
  switch (type) {
    case "any":
    case "object":
      return [];
    case "IntOrString":
      if (typeof value !== "string" && !Number.isInteger(value)) return [`${path}: must be text or a whole number`];
      break;
    case "string":
    case "number":
    case "boolean":
      if (typeof value !== type) return [`${path}: must be ${type === "string" ? "text" : `a ${type}`}`];
      break;
    default:
      return [`${path}: nothing is known of its type ${type}`];
  }
  const fault = valueFault(owner, value);
  return fault === undefined ? [] : [`${path}: ${fault}`];
}

function joined(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function unknownField(path: string, name: string, names: readonly string[]): string {
  const meant = nearestName(name, names);
  return `${joined(path, name)}: is not a field${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}
