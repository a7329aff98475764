/** `dynamos policy diff`: which recorded requests flip under a changed agreement, before it is stored. */
import { type Command, Option } from "commander";
import { comparedJson, comparisonFromJson } from "../../functions/orchestrator/compare-requests.ts";
import { policySnapshots } from "../../functions/orchestrator/policy-snapshot.ts";
import { demoDocuments } from "../demo/documents.ts";
import { exampleText } from "../print/example-text.ts";
import { flipsText } from "../print/flips-text.ts";
import { documentsOfFolder } from "../system/seed.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { callOrchestrator, gatewayDefault } from "./call-orchestrator.ts";
import { jsonOf } from "./json-file.ts";
import { textOf } from "./request-options.ts";

interface DiffFlags {
  readonly agreement: string;
  readonly requests: string;
  readonly knowledge?: string;
  readonly token?: string;
  readonly gateway: string;
  readonly json?: boolean;
}

export function addPolicyDiffCommand(policy: Command): void {
  policy
    .command("diff")
    .description("say which requests of a recorded set would be answered differently under a changed agreement")
    .requiredOption("--agreement <file>", "the agreement as it would be stored")
    .requiredOption("--requests <file>", "JSON lines: bodies of POST /v1/queries with their user; sql may be absent")
    .addOption(
      new Option(
        "--knowledge <folder>",
        "compare with the agreements of this folder (the original's files) instead of those of a running system",
      ),
    )
    .option("--token <token>", "of the steward or an operator; absent: DYNAMOS_TOKEN, else one of this machine")
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? gatewayDefault)
    .option("--json", "print the comparison as JSON")
    .addHelpText(
      "after",
      exampleText(
        "dynamos policy diff --agreement vu.json --requests asked.jsonl",
        "dynamos policy diff --agreement vu.json --requests asked.jsonl --knowledge ../shared/datasets/wage-gap",
        "",
        "Every provider and compute provider counts as online. Its exit code is 0 when nothing flips, 3 when something does.",
      ),
    )
    .action(async (flags: DiffFlags) => {
      const agreement = await jsonOf("--agreement ", flags.agreement);
      const requests = requestsOf(flags.requests, await textOf("--requests ", flags.requests));
      const compared = await (flags.knowledge === undefined
        ? byOrchestrator(flags, { agreement, requests })
        : byFolder(flags.knowledge, { agreement, requests }));
      process.stdout.write(`${flags.json ? JSON.stringify(compared, null, 2) : flipsText(compared, requests)}\n`);
      process.exitCode = compared.flips.length === 0 ? 0 : 3;
    });
}

interface Compared {
  readonly agreement: string;
  readonly requests: number;
  readonly revision: number;
  readonly flips: readonly Flip[];
}

type Flip = Parameters<typeof flipsText>[0]["flips"][number];

async function byOrchestrator(flags: DiffFlags, body: { agreement: unknown; requests: unknown[] }): Promise<Compared> {
  const token = await bearerToken(flags.token, { user: "operator", roles: ["operator"] });
  const called = await callOrchestrator({ gatewayUrl: flags.gateway, token }, "POST", "policy/diff", { body });
  if (called.status === 200) return called.body as unknown as Compared;
  throw new Error(`${called.status} ${called.body.code}: ${called.body.detail}`);
}

async function byFolder(folder: string, body: { agreement: unknown; requests: unknown[] }): Promise<Compared> {
  const documents = await documentsOfFolder(folder, demoDocuments);
  const entries = documents.map(({ key, value }) => ({ key, value: JSON.stringify(value), revision: 1 }));
  const snapshot = policySnapshots({ list: async () => ({ entries, revision: 1 }) });
  return (await comparedJson(comparisonFromJson(body), await snapshot())) as unknown as Compared;
}

function requestsOf(file: string, text: string): unknown[] {
  return text.split("\n").flatMap((line, index): unknown[] => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line)];
    } catch {
      throw new Error(`--requests ${file}: line ${index + 1} is not JSON`);
    }
  });
}
