/** `faas-cli secret create`, `list`, `update` and `remove`. */
import { existsSync, readFileSync } from "node:fs";
import { CliError, type CommandLine } from "./command-line.ts";
import { askGateway, unauthorized, unexpected, warnWithoutTls } from "./gateway-client.ts";
import { textOf } from "./go-http.ts";
import { goJson } from "./go-json.ts";
import { say } from "./say.ts";
import { gatewayOf } from "./stack-file.ts";
import { standardInput } from "./standard-input.ts";

const path = "/system/secrets";
const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function nameIn(line: CommandLine): string {
  const [name, ...more] = line.words;
  if (name === undefined) throw new CliError("secret name required");
  if (more.length > 0) throw new CliError("too many values for secret name");
  return name;
}

function gatewayFor(line: CommandLine): string {
  const gateway = gatewayOf(line);
  warnWithoutTls(gateway, line);
  return gateway;
}

export async function createSecret(line: CommandLine): Promise<void> {
  const name = nameIn(line);
  if (!dnsName.test(name)) throw new CliError(`ERROR: invalid secret name ${name}`);
  const { value, raw } = await secretIn(line);
  const namespace = line.text("namespace");
  const gateway = gatewayFor(line);
  say(`Creating secret: ${name}.${namespace}`);
  const body = goJson([
    ["name", name, "always"],
    ["namespace", namespace],
    ["value", value],
    ["rawValue", raw?.toString("base64")],
  ]);
  const answer = await askGateway(gateway, line, { method: "POST", path, body });
  if (answer.status === 409 && line.isOn("replace")) {
    say(`Secret ${name} already exists, updating...`);
    const updated = await askGateway(gateway, line, { method: "PUT", path, body });
    if (updated.status === 200 || updated.status === 202) say(`Updated: ${updated.statusText}`);
    else process.stdout.write((await unexpected(updated)).message);
  } else if ([200, 201, 202].includes(answer.status)) say(`Created: ${answer.statusText}`);
  else if (answer.status === 401) say(unauthorized);
  else if (answer.status === 409) say(`secret with the name "${name}" already exists`);
  else say(`server returned unexpected status code: ${answer.status} - ${await textOf(answer)}`);
}

async function secretIn(line: CommandLine): Promise<{ value: string; raw?: Buffer }> {
  const [literal, file] = [line.text("from-literal"), line.text("from-file")];
  if (literal !== "" && file !== "") {
    throw new CliError("please provide secret using only one option from --from-literal, --from-file and STDIN");
  }
  if (file !== "" && !existsSync(file)) throw new CliError(`open ${file}: no such file or directory`);
  const raw = file === "" ? undefined : readFileSync(file);
  const text = literal || (raw ?? (await standardInput())).toString("utf8");
  const value = line.isOn("trim") ? text.trim() : text;
  if (value === "") throw new CliError("must provide a non empty secret via --from-literal, --from-file or STDIN");
  return { value, ...(raw === undefined ? {} : { raw }) };
}

export async function listSecrets(line: CommandLine): Promise<void> {
  const namespace = line.text("namespace");
  const query: Record<string, string> = namespace === "" ? {} : { namespace };
  const answer = await askGateway(gatewayFor(line), line, { method: "GET", path, query });
  if (answer.status !== 200 && answer.status !== 202) throw await unexpected(answer);
  const names = (JSON.parse(await textOf(answer)) as { name: string }[]).map(({ name }) => name);
  process.stdout.write(names.length === 0 ? "No secrets found.\n" : `\nNAME\n${names.join("\n")}\n\n`);
}

export async function removeSecret(line: CommandLine): Promise<void> {
  const name = nameIn(line);
  const body = goJson([
    ["name", name, "always"],
    ["namespace", line.text("namespace")],
  ]);
  const answer = await askGateway(gatewayFor(line), line, { method: "DELETE", path, body });
  if (answer.status === 404) throw new CliError(`unable to find secret: ${name}`);
  if (answer.status !== 200 && answer.status !== 202) throw await unexpected(answer);
  say("Removed.. OK.");
}
