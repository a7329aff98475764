/** `dynamos policy history`: who changed an agreement, when and how. */
import type { Command } from "commander";
import { exampleText } from "../print/example-text.ts";
import { historyText } from "../print/history-text.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { callOrchestrator, gatewayDefault } from "./call-orchestrator.ts";

interface HistoryFlags {
  readonly kind: string;
  readonly limit: string;
  readonly before?: string;
  readonly token?: string;
  readonly gateway: string;
  readonly json?: boolean;
}

export function addPolicyHistoryCommand(policy: Command): void {
  policy
    .command("history <name>")
    .description("print who changed an agreement, or another document, when and how")
    .option("--kind <kind>", "agreements, archetypes, request-types, steps, parties or data-sets", "agreements")
    .option("--limit <count>", "how many changes, the newest first; at most 100", "20")
    .option("--before <revision>", "only changes before this revision")
    .option("--token <token>", "of a steward, operator or auditor; absent: DYNAMOS_TOKEN, else one of this machine")
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? gatewayDefault)
    .option("--json", "print the history as JSON")
    .addHelpText(
      "after",
      exampleText("dynamos policy history VU", "dynamos policy history computeToData --kind archetypes"),
    )
    .action(async (name: string, flags: HistoryFlags) => {
      const token = await bearerToken(flags.token, { user: "auditor", roles: ["auditor"] });
      const query = new URLSearchParams({
        limit: flags.limit,
        ...(flags.before === undefined ? {} : { before: flags.before }),
      });
      // A data set is named with its party: VU/wageGap.
      const place = name.split("/").map(encodeURIComponent).join("/");
      const path = `${flags.kind}/${place}/history?${query}`;
      const called = await callOrchestrator({ gatewayUrl: flags.gateway, token }, "GET", path);
      if (called.status !== 200) throw new Error(`${called.status} ${called.body.code}: ${called.body.detail}`);
      process.stdout.write(`${flags.json ? JSON.stringify(called.body, null, 2) : historyText(called.body)}\n`);
    });
}
