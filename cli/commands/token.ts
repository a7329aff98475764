/** `dynamos token`: a token for the system on this machine. */
import { type Command, Option } from "commander";
import { durationMs } from "#domain/duration";
import { roles } from "../../functions/orchestrator/caller.ts";
import { demoUser } from "../demo/documents.ts";
import { exampleText } from "../print/example-text.ts";
import { type Bearer, openDemoIssuer } from "../tokens/demo-issuer.ts";
import { stateFolder } from "../tokens/state-folder.ts";

interface TokenFlags {
  readonly user: string;
  readonly id?: string;
  readonly role: readonly string[];
  readonly party?: string;
  readonly expires: string;
}

/** The orchestrator takes no token that is older. */
const lifetimeSMax = 86_400;

export function addTokenCommand(program: Command): void {
  program
    .command("token")
    .description("print a token for a system that `dynamos up` started on this machine")
    .option("--user <name>", "who asks, as named in the agreements", demoUser)
    .option("--id <id>", "the same person's id, which is the token's subject; absent: the name")
    .addOption(
      new Option("--role <role>", `${roles.join(", ")}; may be repeated; absent: researcher`)
        .argParser((role: string, before: readonly string[]) => [...before, role])
        .default([], "researcher"),
    )
    .option("--party <name>", "whose steward")
    .option("--expires <duration>", "from now, such as 10m; at most 24h", "1h")
    .addHelpText(
      "after",
      exampleText(
        "dynamos token",
        "dynamos token --role steward --party UVA --user steward@uva.example.org",
        "dynamos token --role operator --role auditor --expires 10m",
        "",
        "It is signed with the key in ~/.dynamos (or DYNAMOS_HOME), which is made when it is not there,",
        "and which only systems on this machine believe. As a header:",
        '  curl -H "authorization: Bearer $(npx dynamos token)" …',
      ),
    )
    .action(async (flags: TokenFlags) => {
      const issuer = await openDemoIssuer(stateFolder());
      process.stdout.write(`${await issuer.sign(bearerOf(flags), lifetimeSOf(flags.expires))}\n`);
    });
}

function bearerOf({ user, id, role, party }: TokenFlags): Bearer {
  const unknown = role.find((name) => !(roles as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--role ${unknown}: must be ${roles.join(", ")}`);
  const isSteward = role.includes("steward");
  if (isSteward && party === undefined) throw new Error("--role steward needs --party: whose agreement it is about");
  if (!isSteward && party !== undefined) throw new Error("--party is for --role steward");
  return {
    user,
    roles: role.length === 0 ? ["researcher"] : role,
    ...(id === undefined ? {} : { id }),
    ...(party === undefined ? {} : { party }),
  };
}

function lifetimeSOf(text: string): number {
  const seconds = Math.floor(durationMs(text) / 1_000);
  if (seconds >= 1 && seconds <= lifetimeSMax) return seconds;
  throw new Error(`--expires ${text}: must be from 1s to 24h`);
}
