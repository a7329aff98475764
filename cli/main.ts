/** The `dynamos` command. */
import { Command, CommanderError } from "commander";
import colors from "picocolors";
import { addAuditCommand } from "./commands/audit.ts";
import { addBrokerCommand } from "./commands/broker.ts";
import { addDeadLettersCommand } from "./commands/dead-letters.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addPolicyCommand } from "./commands/policy.ts";
import { addQueryCommand } from "./commands/query.ts";
import { addQueuesCommand } from "./commands/queues.ts";
import { addSidecarCommand } from "./commands/sidecar.ts";
import { addTokenCommand } from "./commands/token.ts";
import { addUpCommand } from "./commands/up.ts";

const program = new Command("dynamos")
  .description("answers from each other's data without handing the data over")
  .version("0.1.0")
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
