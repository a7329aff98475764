/** `dynamos policy`: what is agreed, what that means for a request, and what a change of it would mean. */
import type { Command } from "commander";
import { addPolicyDiffCommand } from "./policy-diff.ts";
import { addPolicyExplainCommand } from "./policy-explain.ts";
import { addPolicyHistoryCommand } from "./policy-history.ts";
import { addPolicyPutCommand } from "./policy-put.ts";

export function addPolicyCommand(program: Command): void {
  const policy = program.command("policy").description("explain decisions, and look at, compare and change agreements");
  addPolicyExplainCommand(policy);
  addPolicyDiffCommand(policy);
  addPolicyHistoryCommand(policy);
  addPolicyPutCommand(policy);
}
