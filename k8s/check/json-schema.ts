/** Documents that are not of Kubernetes itself, against small schemas beside this file. */
import { readFile } from "node:fs/promises";
import { Ajv } from "ajv";

const ajv = new Ajv({ allErrors: true, strict: false });

/** @returns from a document to what is wrong with it, a sentence each */
export async function schemaCheck(file: string): Promise<(document: unknown) => string[]> {
  const schema = JSON.parse(await readFile(new URL(file, import.meta.url), "utf8"));
  const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
  return (document) => {
    if (validate(document) === true) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const which = "additionalProperty" in params ? `: ${params.additionalProperty}` : "";
      return `${instancePath || "/"} ${message}${which}`;
    });
  };
}
