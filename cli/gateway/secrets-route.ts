/** /system/secrets, as `faas-cli secret` uses it. A value comes in and never out. */
import type { ServerResponse } from "node:http";
import { checkNamespace, objectIn, textIn } from "./deployment-request.ts";
import { openfaasNamespace } from "./namespace.ts";
import { type Secrets, secretName } from "./secrets.ts";
import { sendJson, sendText } from "./send.ts";

export async function listSecrets(response: ServerResponse, secrets: Secrets): Promise<void> {
  const names = await secrets.names();
  sendJson(
    response,
    200,
    names.map((name) => ({ name, namespace: openfaasNamespace })),
  );
}

/** @throws RangeError for a body that can't be meant; never with the value in it */
export async function changeSecret(
  method: "POST" | "PUT" | "DELETE",
  body: unknown,
  response: ServerResponse,
  secrets: Secrets,
): Promise<void> {
  const json = objectIn(body, "the body");
  checkNamespace(textIn(json, "namespace"));
  const name = textIn(json, "name") ?? "";
  if (!secretName.test(name)) throw new RangeError("name: is no name of a secret: lower case letters, digits, - and .");
  const absent = () => sendText(response, 404, `error finding secret ${name}`);
  if (method === "DELETE") {
    if (await secrets.remove(name)) response.writeHead(200).end();
    else absent();
    return;
  }
  const value = valueIn(json);
  if (method === "PUT") {
    if (await secrets.update(name, value)) response.writeHead(200).end();
    else absent();
  } else if (await secrets.create(name, value)) response.writeHead(201).end();
  else sendText(response, 409, `secret ${name} already exists`);
}

/** Where both are there, the raw one counts: the other may have been trimmed. */
function valueIn(json: Readonly<Record<string, unknown>>): Uint8Array {
  const raw = textIn(json, "rawValue");
  const value = raw === undefined ? Buffer.from(textIn(json, "value") ?? "", "utf8") : Buffer.from(raw, "base64");
  if (value.length === 0) throw new RangeError("value: is missing");
  return value;
}
