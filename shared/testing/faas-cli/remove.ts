/** `faas-cli remove`: DELETE each function. With a stack file what fails is passed over. */
import { CliError, type CommandLine } from "./command-line.ts";
import { askGateway, unauthorized } from "./gateway-client.ts";
import { textOf } from "./go-http.ts";
import { goJson } from "./go-json.ts";
import { say } from "./say.ts";
import { gatewayOf, readStackFile } from "./stack-file.ts";

export async function remove(line: CommandLine): Promise<void> {
  const [name] = line.words;
  const file = name === undefined ? readStackFile(line) : undefined;
  const gateway = gatewayOf(line, file);
  if (file !== undefined && file.functions.size > 0) {
    for (const [each, entry] of file.functions) {
      const namespace = line.text("namespace") || entry.namespace || "openfaas-fn";
      say(`Deleting: ${each}.${namespace}`);
      await sendDelete(gateway, line, each, namespace);
    }
    return;
  }
  if (name === undefined) throw new CliError("please provide the name of a function to delete");
  const namespace = line.text("namespace");
  say(`Deleting: ${name}.${namespace}`);
  const error = await sendDelete(gateway, line, name, namespace);
  if (error !== undefined) throw error;
}

/** @returns what it fails with */
export async function sendDelete(
  gateway: string,
  line: CommandLine,
  name: string,
  namespace: string,
): Promise<CliError | undefined> {
  const body = goJson([
    ["functionName", name, "always"],
    ["namespace", namespace],
  ]);
  const answer = await askGateway(gateway, line, { method: "DELETE", path: "/system/functions", body });
  const text = await textOf(answer);
  if ([200, 201, 202].includes(answer.status)) {
    say("Removing old function.");
    return undefined;
  }
  if (answer.status === 404) return new CliError("No existing function to remove");
  if (answer.status === 401) return new CliError(unauthorized);
  return new CliError(`Server returned unexpected status code ${answer.status} ${text}`);
}
