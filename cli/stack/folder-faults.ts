/** What a stack file names must be in the checkout: handlers, templates, and words on each secret. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { nearestName } from "#domain/nearest-name";
import type { StackFunction } from "./read-stack.ts";

/** @param home folder of the stack file, which is where faas-cli is to be called */
export function folderFaults({ name, handler, lang }: StackFunction, home: string): string[] {
  const faults: string[] = [];
  if (!isFolder(join(home, handler))) {
    faults.push(`functions.${name}.handler: there is no folder ${handler}`);
  }
  // `lang@tag` names a version of what lies in the folder `lang`.
  const template = lang.split("@")[0] ?? "";
  if (!existsSync(join(home, "template", template, "template.yml"))) {
    const meant = nearestName(template, namesIn(join(home, "template")));
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    faults.push(`functions.${name}.lang: there is no template/${template}/template.yml${hint}`);
  }
  return faults;
}

const told = /faas-cli secret create ([a-z0-9][-.a-z0-9]*)/g;

/** The secrets whose making the pages of docs/ show; undefined where there is no such folder. */
export function documentedSecrets(home: string): string[] | undefined {
  const folder = join(home, "docs");
  if (!isFolder(folder)) return undefined;
  const pages = namesIn(folder).filter((file) => file.endsWith(".md"));
  const found = pages.flatMap((page) => [...readFileSync(join(folder, page), "utf8").matchAll(told)]);
  return [...new Set(found.map(([, name]) => name ?? ""))].sort();
}

/** A secret that no page tells how to make will be missing when the function is deployed. */
export function secretFaults({ name, secrets }: StackFunction, documented: readonly string[] | undefined): string[] {
  if (documented === undefined) return [];
  return secrets
    .filter((secret) => !documented.includes(secret))
    .map((secret) => {
      const meant = nearestName(secret, documented);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return `functions.${name}.secrets: no page of docs/ tells how to make ${secret}${hint}`;
    });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function namesIn(folder: string): string[] {
  return isFolder(folder) ? readdirSync(folder) : [];
}
