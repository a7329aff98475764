/** `dynamos policy explain`: what would be decided on a request and why, without running it. */
import type { Command } from "commander";
import { demoUser } from "../demo/documents.ts";
import { exampleText } from "../print/example-text.ts";
import { explanationText } from "../print/explanation-text.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { callOrchestrator, gatewayDefault } from "./call-orchestrator.ts";
import { addRequestOptions, type RequestFlags, requestBodyOf } from "./request-options.ts";

interface ExplainFlags extends RequestFlags {
  readonly gateway: string;
  readonly json?: boolean;
}

export function addPolicyExplainCommand(policy: Command): void {
  addRequestOptions(
    policy
      .command("explain")
      .description("say who would allow a request and why, the plan that would run, and what a refusal needs")
      .option("--sql <text>", "as of dynamos query; it plays no part in what is allowed"),
  )
    .option("--gateway <url>", "the OpenFaaS gateway", process.env.OPENFAAS_URL ?? gatewayDefault)
    .option("--json", "print the explanation as JSON")
    .addHelpText(
      "after",
      exampleText(
        "dynamos policy explain --providers UVA,VU --algorithm average",
        "dynamos policy explain --providers RUG --json",
        "",
        "Its exit code is 0 when something would run, though a provider may refuse.",
      ),
    )
    .action(async (flags: ExplainFlags) => {
      const body = await requestBodyOf(flags);
      const token = await bearerToken(flags.token, flags.user ?? demoUser);
      const called = await callOrchestrator({ gatewayUrl: flags.gateway, token }, "POST", "policy/explain", { body });
      process.stdout.write(`${flags.json ? JSON.stringify(called.body, null, 2) : explanationText(called)}\n`);
      process.exitCode = called.status === 200 && called.body.allowed === true ? 0 : 1;
    });
}
