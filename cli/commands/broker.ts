/** `dynamos broker`: what an operator of RabbitMQ needs for it. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { brokerRights } from "#domain/broker-permissions";
import { definitionsOf } from "../broker/definitions.ts";
import { fillPasswordFile } from "../broker/password-file.ts";
import { passwordHash } from "../broker/password-hash.ts";
import { readParties } from "../broker/read-parties.ts";
import { exampleText } from "../print/example-text.ts";

/** One of our own: what another system or an earlier trial bound there would be a way around the permissions. */
const vhostDefault = "dynamos";

interface Flags {
  readonly parties: string;
  readonly passwords?: string;
  readonly out?: string;
  readonly vhost: string;
}

export function addBrokerCommand(program: Command): void {
  program
    .command("broker")
    .description("RabbitMQ for several parties")
    .command("definitions")
    .description("a definitions file: one user for each party, with what its role needs and nothing else")
    .requiredOption("--parties <path>", "JSON file or folder of files with the party documents (name, roles)")
    .option(
      "--passwords <file>",
      "JSON object, user to password; missing ones are made and written there for its owner alone. Absent: no password lets a user in",
    )
    .option("--out <file>", "absent: standard output")
    .option("--vhost <name>", "of this system alone", vhostDefault)
    .addHelpText(
      "after",
      exampleText(
        "dynamos broker definitions --parties DIR --passwords passwords.json --out definitions.json",
        "rabbitmqctl import_definitions definitions.json          (more in docs/broker.md)",
      ),
    )
    .action(definitions);
}

async function definitions({ parties: path, passwords: file, out, vhost }: Flags): Promise<void> {
  const parties = await readParties(path);
  const users = brokerRights(parties).map(({ user }) => user);
  const passwords = file === undefined ? undefined : await fillPasswordFile(file, users);
  const passwordHashes = new Map(
    users.flatMap((user) => {
      const password = passwords?.byUser.get(user);
      return password === undefined ? [] : [[user, passwordHash(password)] as const];
    }),
  );
  const text = `${JSON.stringify(definitionsOf({ parties, vhost, passwordHashes }), undefined, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text, { mode: 0o600 });
  process.stderr.write(`${summary(users, passwords?.made, file)}\n`);
}

function summary(users: readonly string[], made: readonly string[] | undefined, file = ""): string {
  const counted = `${users.length} ${users.length === 1 ? "user" : "users"}: ${users.join(", ")}`;
  if (made === undefined) return `${counted}; without passwords, so none can log in with one yet`;
  return made.length === 0
    ? `${counted}; passwords from ${file}`
    : `${counted}; new passwords in ${file}: ${made.join(", ")}`;
}
