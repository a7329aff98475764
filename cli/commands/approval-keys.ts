/** `dynamos approval-keys`: the pair that signs approvals, the first one or the next. */
import { mkdir } from "node:fs/promises";
import type { Command } from "commander";
import { approvalKeysOf } from "#approval/approval-keys";
import { approvalKeyFiles, writeApprovalKeys } from "#approval/make-keys";
import { exampleText } from "../print/example-text.ts";
import { textOf } from "./request-options.ts";

export function addApprovalKeysCommand(program: Command): void {
  program
    .command("approval-keys")
    .description("make the pair of keys that approvals are signed and verified with")
    .argument(
      "<folder>",
      "gets approval-key (private, of the policy-enforcer) and approval-keys (public, of all others)",
    )
    .option("--beside <file>", "approval-keys of now, whose keys are to be believed beside the new one")
    .addHelpText(
      "after",
      exampleText(
        "dynamos approval-keys keys                                      the first pair",
        "dynamos approval-keys next --beside keys/approval-keys          to change keys: see docs/operate.md",
      ),
    )
    .action(make);
}

async function make(folder: string, { beside }: { readonly beside?: string }): Promise<void> {
  const others = beside === undefined ? [] : await publicKeysOf(beside);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateFile, publicFile } = await writeApprovalKeys(folder, undefined, others).catch((error: unknown) => {
    if (!isThere(error)) throw error;
    const files = Object.values(approvalKeyFiles(folder)).join(" or ");
    throw new Error(`${files} is there already: name another folder`, { cause: error });
  });
  const count = others.length === 0 ? "" : ` and ${others.length} of now`;
  process.stdout.write(`${privateFile}: private, for the policy-enforcer alone\n`);
  process.stdout.write(`${publicFile}: the public key of it${count}, for every sidecar and sql-query\n`);
}

/** @throws Error with a sentence */
async function publicKeysOf(file: string): Promise<unknown[]> {
  const text = await textOf("--beside ", file);
  let jwks: { keys?: unknown[] };
  try {
    jwks = JSON.parse(text);
  } catch {
    throw new Error(`--beside ${file}: is not JSON`);
  }
  approvalKeysOf(jwks, `--beside ${file}`);
  return jwks.keys ?? [];
}

function isThere(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === "EEXIST";
}
