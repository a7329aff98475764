/** Documents of a knowledge base as files: `agreements/UVA.json`, `data-sets/UVA/wageGap.json`. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { InvalidDocument } from "#contracts/documents";
import { documentKinds } from "#domain/document-kinds";
import type { SeedDocument } from "../system/seed.ts";

/** All of them, checked. @throws Error naming the file that is wrong, before anything is used */
export async function readDocumentFolder(folder: string): Promise<SeedDocument[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new Error(`${folder}: can't be read as a folder`, { cause });
  });
  const files = names.filter((name) => name.endsWith(".json")).sort();
  if (files.length === 0) {
    throw new Error(`${folder}: has no documents; they are files such as agreements/UVA.json`);
  }
  const documents: SeedDocument[] = [];
  for (const file of files) documents.push(await readDocument(folder, file));
  return documents;
}

async function readDocument(folder: string, file: string): Promise<SeedDocument> {
  const path = join(folder, file);
  const parts = file.split(sep);
  const kind = documentKinds.find((one) => one.path === parts[0] && parts.length === (one.isByParty ? 3 : 2));
  if (kind === undefined) {
    const places = documentKinds.map((one) => `${one.path}/${one.isByParty ? "PARTY/" : ""}NAME.json`).join(", ");
    throw new Error(`${path}: belongs to no kind of document; known are ${places}`);
  }
  let value: { name?: string; party?: string };
  try {
    value = JSON.parse(await readFile(path, "utf8"));
    kind.check(value);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof InvalidDocument ? error.message : "is not JSON"}`, { cause: error });
  }
  const { name = "", party = "" } = value;
  const place = join(kind.path, ...(kind.isByParty ? [party] : []), `${name}.json`);
  if (place !== file) throw new Error(`${path}: holds what belongs in ${place}`);
  return { key: kind.keyOf(name, party), value };
}

/** @throws Error where one of the files is there already; those before it are written */
export async function writeDocumentFolder(folder: string, documents: readonly SeedDocument[]): Promise<string[]> {
  const files = documents.map(({ key, value }) => ({ path: join(folder, placeOf(key)), value }));
  for (const { path, value } of files) {
    await mkdir(dirname(path), { recursive: true });
    const text = `${JSON.stringify(value, null, 2)}\n`;
    await writeFile(path, text, { flag: "wx" }).catch((cause: unknown) => {
      throw new Error(`${path}: is there already, or can't be written`, { cause });
    });
  }
  return files.map(({ path }) => relative(folder, path));
}

function placeOf(key: string): string {
  const kind = documentKinds.find(({ prefix }) => key.startsWith(prefix));
  if (kind === undefined) throw new RangeError(`${key} is no document of a file`);
  return join(kind.path, `${key.slice(kind.prefix.length)}.json`);
}
