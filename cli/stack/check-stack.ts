/** The strict reading of a stack file: what faas-cli ignores in silence is an error here. */
import { Ajv, type ErrorObject } from "ajv";
import { nearestName } from "#domain/nearest-name";
import schema from "./stack.schema.json" with { type: "json" };

const validate = new Ajv({ allowMatchingProperties: true, allErrors: true, verbose: true }).compile(schema);

/** One sentence for each fault, with the path to it; empty when there is none. */
export function faultsOf(document: unknown): string[] {
  return validate(document) ? [] : [...new Set((validate.errors ?? []).map(sentence))];
}

function sentence(error: ErrorObject): string {
  const path = pathOf(error.instancePath);
  const at = path === "" ? "" : `${path}: `;
  switch (error.keyword) {
    case "additionalProperties":
      return `${at}${unknownKey(error.params.additionalProperty, error.parentSchema)}`;
    case "propertyNames":
      return `${at}${JSON.stringify(error.params.propertyName)} is not a valid name here`;
    case "required":
      return `${at}${error.params.missingProperty} is missing`;
    case "enum":
      return `${at}must be ${error.params.allowedValues.join(" or ")}, not ${shown(error.data)}`;
    case "type":
      return `${at}must be ${typeNames[error.params.type] ?? error.params.type}`;
    case "pattern":
      return `${at}${shown(error.data)} does not have the form of this setting`;
    default:
      return `${at}${error.message ?? error.keyword}`;
  }
}

const typeNames: Readonly<Record<string, string>> = { string: "text", array: "a list", object: "a map" };

function unknownKey(key: string, parent: ErrorObject["parentSchema"]): string {
  const meant = nearestName(key, Object.keys(parent?.properties ?? {}));
  return `unknown key ${key}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** `/functions/a/annotations/com.dynamos.party` to `functions.a.annotations["com.dynamos.party"]`. */
function pathOf(pointer: string): string {
  const parts = pointer.split("/").slice(1);
  const names = parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((path, name) => {
    if (/^\d+$/.test(name)) return `${path}[${name}]`;
    return /^[-\w]+$/.test(name) ? `${path}${path === "" ? "" : "."}${name}` : `${path}[${JSON.stringify(name)}]`;
  }, "");
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}
