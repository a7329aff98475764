/** `faas-cli login`: asks the gateway whether it knows somebody, and keeps it. */
import { saveLogin } from "./auth-file.ts";
import { CliError, type CommandLine } from "./command-line.ts";
import { warnWithoutTls } from "./gateway-client.ts";
import { send, textOf } from "./go-http.ts";
import { say } from "./say.ts";
import { gatewayOf } from "./stack-file.ts";
import { standardInput } from "./standard-input.ts";

export async function login(line: CommandLine): Promise<void> {
  const user = line.text("username");
  const password = (line.isOn("password-stdin") ? (await standardInput()).toString() : line.text("password")).trim();
  if (password === "") throw new CliError("must provide a non-empty password via --password or --password-stdin");
  say("Calling the OpenFaaS server to validate the credentials...");
  const gateway = gatewayOf(line);
  warnWithoutTls(gateway, line);
  const answer = await send({
    method: "GET",
    url: `${gateway}/system/functions`,
    userAgent: "Go-http-client/1.1",
    headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` },
    timeoutMs: 5_000,
  }).catch((error: Error) => {
    throw new CliError(`cannot connect to OpenFaaS on URL: ${gateway}. ${error.message}`);
  });
  if (answer.status === 401) throw new CliError("unable to login, either username or password is incorrect");
  if (answer.status !== 200) {
    throw new CliError(`server returned unexpected status code: ${answer.status} - ${await textOf(answer)}`);
  }
  saveLogin(gateway, user, password);
  say(`credentials saved for ${user} ${gateway}`);
}
