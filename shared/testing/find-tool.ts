import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const toolsFolder = resolve(import.meta.dirname, "../../build/tools");

/** @returns the path of the first of these programs on the PATH or in build/tools; undefined: there is none */
export function findTool(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), toolsFolder];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
