/** `faas-cli invoke`: standard input to the function, by its full name; its answer to standard output. */
import { CliError, type CommandLine } from "./command-line.ts";
import { cliVersion } from "./gateway-client.ts";
import { encodeQuery, send, textOf } from "./go-http.ts";
import { gatewayOf, readStackFile } from "./stack-file.ts";
import { standardInput } from "./standard-input.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const goArch: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

export async function invoke(line: CommandLine): Promise<void> {
  const [name] = line.words;
  if (name === undefined) throw new CliError("please provide a name for the function");
  const file = readStackFile(line);
  const namespace = line.text("namespace") || file?.functions.get(name)?.namespace || "openfaas-fn";
  const method = line.text("method");
  // As faas-cli: it says nothing, and does nothing.
  if (!methods.includes(method)) return;
  const query = encodeQuery(Object.fromEntries(line.texts("query").map(queryPair)));
  const isAsync = line.isOn("async");
  const answer = await send({
    method,
    url: `${gatewayOf(line, file)}/${isAsync ? "async-function" : "function"}/${name}.${namespace}${query && `?${query}`}`,
    userAgent: `faas-cli/${cliVersion} (openfaas; ${process.platform}; ${goArch[process.arch] ?? process.arch})`,
    headers: headersOf(line),
    body: await standardInput(),
    timeoutMs: 60_000,
  }).catch((error: Error) => {
    throw new CliError(`failed to invoke function: ${error.message}`);
  });
  if (answer.status < 200 || answer.status > 299) {
    throw new CliError(`server returned unexpected status code: ${answer.status} - ${await textOf(answer)}`);
  }
  if (isAsync && answer.status === 202) {
    process.stderr.write("Function submitted asynchronously.\n");
    return;
  }
  for await (const chunk of answer.body) process.stdout.write(chunk);
}

function headersOf(line: CommandLine): Record<string, string> {
  const given = Object.fromEntries(
    line.texts("header").map((header) => {
      const [, key = "", value = ""] = /^([^:]*):([\s\S]*)$/.exec(header) ?? /^([^=]*)=([\s\S]*)$/.exec(header) ?? [];
      if (key.trim() === "" || value.trim() === "") {
        throw new CliError("the --header or -H flag must take the form of 'Key: Value' or 'key=value'");
      }
      return [canonical(key.trim()), value.trim()];
    }),
  );
  return { "Content-Type": line.text("content-type"), ...given };
}

/** Go's spelling: `x-call-id` is sent as `X-Call-Id`. */
function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function queryPair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1 || at === pair.length - 1) throw new CliError("the --query flag must take the form of key=value");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
