/** POST, PUT and DELETE of /system/functions, and scaling: what `faas-cli deploy` and `remove` send. */
import type { ServerResponse } from "node:http";
import { checkNamespace, deploymentOf, objectIn, textIn } from "./deployment-request.ts";
import type { FunctionTable } from "./function-table.ts";
import { folderOfImage } from "./image-folder.ts";
import type { Secrets } from "./secrets.ts";
import { sendText } from "./send.ts";

export interface ChangeTools {
  readonly functions: FunctionTable;
  readonly secrets: Secrets;
  /** Holds a folder with index.js for each image. */
  readonly buildDir: string;
}

/** Answers when it is done: with 200, as faasd, once the function is ready. @throws RangeError for a body that can't be meant */
export async function putFunction(
  how: "create" | "update",
  body: unknown,
  response: ServerResponse,
  { functions, secrets, buildDir }: ChangeTools,
): Promise<void> {
  const spec = deploymentOf(body);
  const missing = spec.secrets.filter((name) => !secrets.has(name));
  if (missing.length > 0) {
    return sendText(response, 400, `unable to find secret: ${missing.join(", ")}; make it with faas-cli secret create`);
  }
  const folder = folderOfImage(spec.image, buildDir);
  const done = await functions.put(spec, folder, how).catch((error: unknown) => {
    if (error instanceof RangeError) throw error;
    sendText(response, 500, error instanceof Error ? error.message : "the function did not start");
  });
  if (done) response.writeHead(200).end();
  else if (done === false && how === "update") sendText(response, 404, `error finding function ${spec.name}`);
  else if (done === false) sendText(response, 409, `function ${spec.name} already exists: PUT updates it`);
}

/** @throws RangeError for a body that can't be meant */
export async function removeFunction(
  body: unknown,
  response: ServerResponse,
  { functions }: ChangeTools,
): Promise<void> {
  const json = objectIn(body, "the body");
  checkNamespace(textIn(json, "namespace"));
  const name = textIn(json, "functionName") ?? "";
  if (name === "") throw new RangeError("functionName: is missing");
  if (await functions.remove(name)) response.writeHead(200).end();
  else sendText(response, 404, `error finding function ${name.slice(0, 64)}`);
}

/** One process is what each function has here, whatever is asked: as OpenFaaS's Community Edition holds it to 1 to 5. */
export function scaleFunction(name: string, body: unknown, response: ServerResponse, { functions }: ChangeTools): void {
  const json = objectIn(body, "the body");
  checkNamespace(textIn(json, "namespace"));
  if (!Number.isInteger(json.replicas) || Number(json.replicas) < 0) {
    throw new RangeError("replicas: must be a whole number from 0 on");
  }
  if (functions.get(name) === undefined) sendText(response, 404, `error finding function ${name}`);
  else response.writeHead(202).end();
}
