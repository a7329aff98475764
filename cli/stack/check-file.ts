/**
 * All that can be known of a stack file before it is deployed. faas-cli itself ignores keys that it does not
 * know, and the cluster says what it does not like one function at a time.
 */
import { dirname, resolve } from "node:path";
import { documentedSecrets, folderFaults, secretFaults } from "./folder-faults.ts";
import { partFaults } from "./part-faults.ts";
import { readStack, type Stack, StackError, topLevelBlocks } from "./read-stack.ts";
import { resourceFaults } from "./resource-faults.ts";
import { settingFaults } from "./setting-faults.ts";

export interface CheckedStack {
  /** Each fault is a sentence with the path to it: `functions.a.limits.memory: …`. */
  readonly faults: readonly string[];
  /** Absent where the file has not even its form. */
  readonly stack?: Stack;
}

/** @param environment for `${NAME}`; absent: of this process */
export async function checkStackFile(
  path: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckedStack> {
  let stack: Stack;
  try {
    stack = await readStack(path, { environment });
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    return { faults: error.message.split("\n").map((line) => line.replace(`${path}: `, "")) };
  }
  const home = dirname(resolve(path));
  const faults = [
    ...orderFaults(await topLevelBlocks(path)),
    ...stack.functions.flatMap((fn) => [
      ...settingFaults(fn),
      ...resourceFaults(fn, home),
      ...folderFaults(fn, home),
      ...secretFaults(fn, documentedSecrets(home)),
    ]),
    ...partFaults(stack),
  ];
  return { faults, stack };
}

/** `faas-cli new --append` writes to the end of the file, whatever stands there. */
function orderFaults(blocks: readonly string[]): string[] {
  const last = blocks.at(-1);
  return last === "functions" ? [] : [`${last}: must stand before functions, which is the last block`];
}
