/** `dynamos policy put`: store an agreement over the one that is there, and say what changed and whom it reached. */
import type { Command } from "commander";
import { type Difference, differencesOf } from "#domain/json-differences";
import { exampleText } from "../print/example-text.ts";
import { differenceLine } from "../print/history-text.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { type Called, callOrchestrator, gatewayDefault, type Orchestrator } from "./call-orchestrator.ts";
import { jsonOf } from "./json-file.ts";

interface PutFlags {
  readonly token?: string;
  readonly gateway: string;
  readonly dryRun?: boolean;
}

export function addPolicyPutCommand(policy: Command): void {
  policy
    .command("put <file>")
    .description("store the agreement of a file, and say what changed and which parties carry it out")
    .option("--dry-run", "say what would change, and store nothing")
    .option("--token <token>", "of the steward; absent: DYNAMOS_TOKEN, else one of this machine")
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? gatewayDefault)
    .addHelpText("after", exampleText("dynamos policy put vu.json --dry-run", "dynamos policy put vu.json"))
    .action(async (file: string, flags: PutFlags) => {
      const agreement = (await jsonOf("", file)) as { name?: unknown };
      if (typeof agreement?.name !== "string") throw new Error(`${file}: the agreement has no name`);
      const { name } = agreement;
      const token = await bearerToken(flags.token, { user: `steward of ${name}`, roles: ["steward"], party: name });
      await putAgreement({ gatewayUrl: flags.gateway, token }, { name, agreement, isDry: flags.dryRun === true });
    });
}

async function putAgreement(
  orchestrator: Orchestrator,
  { name, agreement, isDry }: { name: string; agreement: unknown; isDry: boolean },
): Promise<void> {
  const path = `agreements/${encodeURIComponent(name)}`;
  const there = await callOrchestrator(orchestrator, "GET", path);
  if (there.status !== 200 && there.status !== 404) throw problemOf(there);
  const differences = there.status === 200 ? differencesOf(there.body, agreement) : undefined;
  say(changesText(name, differences));
  if (isDry || differences?.length === 0) return;
  const headers =
    there.status === 200 ? { "if-match": there.headers.get("etag") ?? "" } : await toCreate(orchestrator, path);
  const put = await callOrchestrator(orchestrator, "PUT", path, { body: agreement, headers });
  if (put.status !== 200 && put.status !== 201) throw problemOf(put);
  say(`${name} is at revision ${(put.headers.get("etag") ?? "").replaceAll('"', "")}`);
  const parties = (header: string) =>
    (put.headers.get(header) ?? "").split(", ").filter(Boolean).map(decodeURIComponent);
  for (const party of parties("dynamos-applied")) say(`  ${party} carries it out`);
  for (const party of parties("dynamos-waiting")) say(`  ${party} has not said yet that it carries it out`);
}

/** Where it was deleted before, over that deletion. */
async function toCreate(orchestrator: Orchestrator, path: string): Promise<Record<string, string>> {
  const history = await callOrchestrator(orchestrator, "GET", `${path}/history?limit=1`);
  const [last] = (history.body.changes ?? []) as { revision: number; change: string }[];
  return last?.change === "delete" ? { "if-match": `"${last.revision}"` } : { "if-none-match": "*" };
}

function changesText(name: string, differences: readonly Difference[] | undefined): string {
  if (differences === undefined) return `${name} has no agreement yet: all of it is new`;
  return differences.length === 0
    ? `${name}'s agreement is the same already: nothing to store`
    : [
        `${name}'s agreement changes in ${differences.length} ${differences.length === 1 ? "place" : "places"}`,
        ...differences.map(differenceLine),
      ].join("\n");
}

function problemOf({ status, body }: Called): Error {
  const errors = (body.errors ?? []) as { path: string; message: string }[];
  const lines = errors.map(({ path, message }) => `\n  ${path} ${message}`).join("");
  return new Error(`${status} ${body.code}: ${body.detail}${lines}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
