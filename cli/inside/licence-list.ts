/** The licences of all packages inside, with their texts, as they must go with what is passed on. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { licenceFiles } from "./installed-package.ts";
import type { InsidePackage } from "./packages-inside.ts";

const standardTexts = join(dirname(fileURLToPath(import.meta.url)), "licence-texts");

/** @param onGap a package's licence has no text anywhere */
export async function licenceList(
  packages: readonly InsidePackage[],
  onGap: (sentence: string) => void,
): Promise<string> {
  const byText = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const inside of packages) {
    const title = `${inside.name} ${inside.version} (${inside.licence})`;
    if (seen.has(title)) continue;
    seen.add(title);
    const text = await textOf(inside, onGap);
    byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const parts = [...byText].map(([text, titles]) => `${"=".repeat(72)}\n${titles.join("\n")}\n\n${text}\n`);
  return `This holds packages of others, each under its own licence:\n\n${parts.join("\n")}`;
}

async function textOf(inside: InsidePackage, onGap: (sentence: string) => void): Promise<string> {
  const files = await licenceFiles(inside);
  return (files.length > 0 ? files : await textsWithoutFile(inside, onGap)).join("\n\n");
}

/** A package that brings no such file has its copyrights in its sources, and names licences whose text is known. */
async function textsWithoutFile(
  { name, version, licence, sources }: InsidePackage,
  onGap: (sentence: string) => void,
): Promise<string[]> {
  const sourceTexts = await Promise.all(sources.map((source) => readFile(source, "utf8")));
  const notices = [...new Set(sourceTexts.map(firstComment).filter((comment) => /copyright/i.test(comment)))];
  const standard: string[] = [];
  for (const id of licence.match(/[^\s()]+/g)?.filter((word) => word !== "AND" && word !== "OR") ?? []) {
    const file = join(standardTexts, `${id}.txt`);
    if (existsSync(file)) standard.push((await readFile(file, "utf8")).trimEnd());
    else if (!notices.some((notice) => /permission is hereby granted|redistribution and use/i.test(notice))) {
      onGap(`${name}@${version} brings no text of ${id}, and cli/inside/licence-texts has none`);
    }
  }
  return [...notices, ...standard];
}

/** What stands before the code, without its marks. */
function firstComment(source: string): string {
  const comment = /^\s*((?:\/\/[^\n]*\n)+|\/\*[\s\S]*?\*\/)/.exec(source)?.[1] ?? "";
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*(\/\/|\/\*+|\*\/|\*)\s?/, "").replace(/\s*\*\/\s*$/, ""))
    .join("\n")
    .trim();
}
