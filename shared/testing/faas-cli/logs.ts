/** `faas-cli logs`: lines of JSON to lines of text, until the gateway ends them. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { CliError, type CommandLine } from "./command-line.ts";
import { askGateway, unexpected, warnWithoutTls } from "./gateway-client.ts";
import { say } from "./say.ts";
import { gatewayOf } from "./stack-file.ts";

export async function logs(line: CommandLine): Promise<void> {
  const [name] = line.words;
  if (name === undefined) throw new CliError("function name is required");
  const gateway = gatewayOf(line);
  warnWithoutTls(gateway, line);
  const namespace = line.text("namespace");
  const since = sinceOf(line);
  const lines = Number(line.text("lines"));
  const query = {
    name,
    follow: String(line.isOn("tail")),
    ...(namespace === "" ? {} : { namespace }),
    ...(since === undefined ? {} : { since }),
    ...(lines === 0 ? {} : { tail: String(lines) }),
  };
  const answer = await askGateway(gateway, line, { method: "GET", path: "/system/logs", query, endless: true });
  if (answer.status !== 200) throw await unexpected(answer);
  for await (const text of createInterface({ input: Readable.from(answer.body) })) {
    if (text !== "") say(plain(text, line));
  }
}

/** `<timestamp> <name> (<instance>) <text>`, the time to the second as RFC 3339 has it. */
function plain(json: string, line: CommandLine): string {
  const message = JSON.parse(json) as Record<string, unknown>;
  if (line.text("output") === "json") return json;
  const { timestamp, name, instance, text } = message;
  if (typeof timestamp !== "string" || typeof text !== "string" || Number.isNaN(Date.parse(timestamp))) {
    throw new CliError("cannot parse log results");
  }
  const parts = [
    timestamp.replace(/\.\d+/, ""),
    ...(line.isOn("name") ? [String(name)] : []),
    ...(line.isOn("instance") ? [`(${instance})`] : []),
    text,
  ];
  return parts.join(" ").replace(/\n+$/, "");
}

function sinceOf(line: CommandLine): string | undefined {
  const [ago, at] = [line.text("since"), line.text("since-time")];
  if (at !== "") return new Date(at).toISOString().replace(/\.\d+/, "");
  if (ago === "") return undefined;
  const [, number, unit = ""] = /^(\d+)(s|m|h)$/.exec(ago) ?? [];
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 }[unit];
  if (unitMs === undefined) throw new CliError(`invalid argument "${ago}" for "--since" flag: time: invalid duration`);
  return new Date(Date.now() - Number(number) * unitMs).toISOString().replace(/\.\d+/, "");
}
