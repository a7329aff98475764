/** Party documents (shared/contracts/schema/party.schema.json) from a file or a folder of files. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Party } from "#contracts";
import { partyFromJson } from "#contracts/documents";

/**
 * @param path a JSON file with one document or a list of them, or a folder whose `*.json` files are such
 * @throws Error that names the file, when one can't be read or is not valid, or when there is none
 */
export async function readParties(path: string): Promise<Party[]> {
  const parties: Party[] = [];
  for (const file of await filesOf(path)) {
    const json = await readJson(file);
    for (const document of Array.isArray(json) ? json : [json]) parties.push(partyOf(document, file));
  }
  if (parties.length === 0) throw new Error(`${path} has no party documents`);
  return parties;
}

async function filesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new Error(`can't read ${path}`, { cause: error });
  });
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => join(path, name));
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} is not JSON`, { cause: error });
  }
}

function partyOf(document: unknown, file: string): Party {
  try {
    return partyFromJson(document);
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : "not a party document"}`, { cause: error });
  }
}
