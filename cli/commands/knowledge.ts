/** `dynamos knowledge`: what an operator of the etcd that has the knowledge base needs for it. */
import type { Command } from "commander";
import { parseEtcdAddress } from "#adapters/etcd/address";
import { fillPasswordFile } from "../broker/password-file.ts";
import { readParties } from "../broker/read-parties.ts";
import { applyUsers } from "../knowledge/apply-users.ts";
import { etcdRights } from "../knowledge/etcd-rights.ts";
import { usersScript } from "../knowledge/users-script.ts";
import { exampleText } from "../print/example-text.ts";
import { etcdOptions, knowledgeVariablesHelp } from "../system/open-knowledge.ts";
import { addKnowledgeDocuments } from "./knowledge-documents.ts";

interface Flags {
  readonly parties: string;
  readonly passwords?: string;
  readonly apply?: string;
  readonly namespace?: string;
}

export function addKnowledgeCommand(program: Command): void {
  const knowledge = program.command("knowledge").description("etcd as the knowledge base of several parties");
  addKnowledgeDocuments(knowledge);
  knowledge
    .command("users")
    .description("one user and role for each party: it reads all, and writes only what is its own")
    .requiredOption("--parties <path>", "JSON file or folder of files with the party documents (name, roles)")
    .option(
      "--apply <url>",
      "http(s)://HOST:PORT[/NAMESPACE][,…] of the etcd; absent: commands for etcdctl are printed",
    )
    .option(
      "--passwords <file>",
      "with --apply: JSON object, user to password; missing ones are made and written there for its owner alone",
    )
    .option("--namespace <name>", "without --apply: of the keys, where several systems share an etcd")
    .addHelpText(
      "after",
      exampleText(
        "dynamos knowledge users --parties parties.json",
        "DYNAMOS_KNOWLEDGE_USER=root DYNAMOS_KNOWLEDGE_PASSWORD_FILE=root-password \\",
        "  dynamos knowledge users --parties parties.json --passwords passwords.json --apply https://etcd.example:2379",
        "",
        ...knowledgeVariablesHelp.split("\n"),
        "",
        "More in docs/knowledge.md",
      ),
    )
    .action(users);
}

async function users({ parties: path, passwords: file, apply, namespace = "" }: Flags): Promise<void> {
  const parties = await readParties(path);
  if (apply === undefined) {
    if (file !== undefined)
      throw new Error("--passwords needs --apply: the printed commands read each password from a file USER.password");
    // Looked at the way an address is.
    const space = namespace === "" ? "" : parseEtcdAddress(`http://etcd/${namespace}`).namespace;
    process.stdout.write(usersScript(etcdRights(parties, space)));
    return;
  }
  if (namespace !== "") throw new Error("--namespace: with --apply it is the end of the address");
  if (file === undefined)
    throw new Error("--apply needs --passwords FILE, where the users' passwords are or are written");
  const { namespace: space, ...options } = etcdOptions(apply, process.env);
  const rights = etcdRights(parties, space);
  const { byUser, made: invented } = await fillPasswordFile(
    file,
    rights.map(({ user }) => user),
  );
  const { made, changed } = await applyUsers(options, rights, byUser);
  const said = [
    `${rights.length} ${rights.length === 1 ? "user" : "users"}`,
    ...(made.length === 0 ? [] : [`made: ${made.join(", ")}`]),
    ...(changed.length === 0 ? [] : [`brought up to date: ${changed.join(", ")}`]),
    ...(invented.length === 0 ? [] : [`new passwords in ${file}: ${invented.join(", ")}`]),
  ];
  process.stderr.write(`${said.join("; ")}\n`);
}
