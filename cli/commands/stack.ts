/** `dynamos stack`: what is wrong with a stack file, and how one organisation deploys its part of it. */
import { join, relative } from "node:path";
import type { Command } from "commander";
import { exampleText } from "../print/example-text.ts";
import { textTable } from "../print/text-table.ts";
import { checkStackFile } from "../stack/check-file.ts";
import { home } from "../stack/parties.ts";
import { flagsOf, partsOf } from "../stack/parts.ts";
import { readStack } from "../stack/read-stack.ts";

type Write = (text: string) => void;

interface Flags {
  readonly file?: string;
}

export function addStackCommand(program: Command, write: Write = (text) => void process.stdout.write(text)): void {
  const stack = program.command("stack").description("the file that faas-cli deploys from");
  const withFile = (command: Command) => command.option("-f, --file <file>", "absent: the project's stack.yml");
  withFile(stack.command("check"))
    .description("everything that is wrong with it, misspelt keys too, which faas-cli ignores; exit code 1 if anything")
    .addHelpText("after", exampleText("dynamos stack check", "TAG=v2 dynamos stack check -f stack.yml"))
    .action(async ({ file = join(home, "stack.yml") }: Flags) => {
      const { faults, stack: checked } = await checkStackFile(file);
      const shown = relative(process.cwd(), file) || file;
      if (faults.length > 0) throw new Error(faults.map((fault) => `${shown}: ${fault}`).join("\n"));
      write(`${shown}: ${checked?.functions.length} functions, nothing is wrong\n`);
    });
  withFile(stack.command("parts"))
    .description("the flags with which faas-cli takes one organisation's functions and no other's")
    .addHelpText(
      "after",
      exampleText(
        "dynamos stack parts",
        "",
        "Each line ends in what to add to faas-cli deploy -f stack.yml, and to build, push and remove.",
      ),
    )
    .action(async ({ file = join(home, "stack.yml") }: Flags) => {
      const rows = partsOf(await readStack(file)).map(({ party, selection, functions }) => [
        party,
        functions.length,
        flagsOf(selection),
      ]);
      const columns = [{ name: "party" }, { name: "functions", type: "integer" }, { name: "flags" }];
      write(`${textTable({ columns, rows }, { cellCharsMax: 10_000 })}\n`);
    });
}
