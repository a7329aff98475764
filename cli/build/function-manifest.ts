/** What a function's own package.json says about its bundle. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface FunctionManifest {
  /** `singleUse.external`: packages that can't be bundled, such as native ones. They come along as they are. */
  readonly external: readonly string[];
  /** `singleUse.files`: files and folders that come along, at the same place beside the handler. */
  readonly files: readonly string[];
}

/** @throws TypeError when one of them is not a list of texts */
export async function readFunctionManifest(folder: string): Promise<FunctionManifest> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  const { singleUse = {} } = JSON.parse(text) as { singleUse?: Record<string, unknown> };
  return { external: texts("external", singleUse.external), files: texts("files", singleUse.files) };
}

function texts(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new TypeError(`package.json: singleUse.${name} must be a list of texts`);
}
