/** Requests to /system/, as every command but `invoke` and `login` sends them. */
import { authorizationFor } from "./auth-file.ts";
import { CliError, type CommandLine } from "./command-line.ts";
import { encodeQuery, type GoAnswer, send, textOf } from "./go-http.ts";
import { say } from "./say.ts";

/** Of the source that this follows. */
export const cliVersion = "0.18.1";
const timeoutMs = 60_000;

export interface SystemRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
  /** A stream ends when it ends. */
  readonly endless?: boolean;
}

export function askGateway(
  gateway: string,
  line: CommandLine,
  { method, path, query = {}, body, endless }: SystemRequest,
): Promise<GoAnswer> {
  const encoded = encodeQuery(query);
  return send({
    method,
    url: `${gateway}${path}${encoded === "" ? "" : `?${encoded}`}`,
    userAgent: `faas-cli/${cliVersion}`,
    headers: {
      Authorization: authorizationFor(gateway, line.text("token")),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
    ...(endless ? {} : { timeoutMs }),
  }).catch(() => {
    throw new CliError(`cannot connect to OpenFaaS on URL: ${gateway}`);
  });
}

export const unauthorized = 'unauthorized access, run "faas-cli login" to setup authentication for this server';

/** What a list or a description is refused with. */
export async function unexpected(answer: GoAnswer): Promise<CliError> {
  if (answer.status === 401) return new CliError(unauthorized);
  return new CliError(`server returned unexpected status code: ${answer.status} - ${await textOf(answer)}`);
}

export function warnWithoutTls(gateway: string, line: CommandLine): void {
  if (line.isOn("tls-no-verify") || /^(https|http:\/\/127\.0\.0\.1|http:\/\/localhost)/.test(gateway)) return;
  say("WARNING! You are not using an encrypted connection to the gateway, consider using HTTPS.");
}
