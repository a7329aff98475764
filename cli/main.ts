/** The `dynamos` command. */
import { Command, CommanderError } from "commander";
import colors from "picocolors";
import { version } from "#domain/version";
import { addApprovalKeysCommand } from "./commands/approval-keys.ts";
import { addAuditCommand } from "./commands/audit.ts";
import { addBrokerCommand } from "./commands/broker.ts";
import { addDeadLettersCommand } from "./commands/dead-letters.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addKnowledgeCommand } from "./commands/knowledge.ts";
import { addPolicyCommand } from "./commands/policy.ts";
import { addQueryCommand } from "./commands/query.ts";
import { addQueuesCommand } from "./commands/queues.ts";
import { addSidecarCommand } from "./commands/sidecar.ts";
import { addStackCommand } from "./commands/stack.ts";
import { addTokenCommand } from "./commands/token.ts";
import { addUpCommand } from "./commands/up.ts";

const program = new Command("dynamos")
  .description("answers from each other's data without handing the data over")
  .version(version)
  .showHelpAfterError("(dynamos help shows the commands, dynamos COMMAND --help their options)")
  .exitOverride();
addUpCommand(program);
addDemoCommand(program);
addQueryCommand(program);
addPolicyCommand(program);
addTokenCommand(program);
addAuditCommand(program);
addSidecarCommand(program);
addQueuesCommand(program);
addDeadLettersCommand(program);
addBrokerCommand(program);
addKnowledgeCommand(program);
addApprovalKeysCommand(program);
addStackCommand(program);

// Who reads may leave early, as `| head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`${colors.red("error")} ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
