import { Command } from "commander";
import { expect, it } from "vitest";
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

const program = new Command("dynamos");
for (const add of [addUpCommand, addDemoCommand, addQueryCommand, addSidecarCommand, addQueuesCommand]) add(program);
addDeadLettersCommand(program);
addBrokerCommand(program);
addStackCommand(program);
addKnowledgeCommand(program);
addApprovalKeysCommand(program);
addAuditCommand(program);
addTokenCommand(program);
addPolicyCommand(program);

/** As it is printed, with what is added below the options. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

const leaves = program.commands.flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));

it("finds every command", () => {
  expect(leaves.length).toBeGreaterThanOrEqual(10);
});

it.each(leaves.map((command) => [fullName(command), command] as const))(
  "shows an example of dynamos %s",
  (name, command) => {
    const examples = helpOf(command).split(/Examples?:\n/)[1] ?? "";
    expect(examples).toContain(`dynamos ${name}`);
    // What an example names must be there.
    const known = command.options.map(({ long }) => long);
    for (const [flag] of examples.matchAll(/--[a-z][a-z-]*/g)) expect(known).toContain(flag);
  },
);

function fullName(command: Command): string {
  const { parent } = command;
  return parent === null || parent === program ? command.name() : `${parent.name()} ${command.name()}`;
}
