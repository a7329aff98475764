/** Secrets are named and never there: docs/kubernetes.md says which there must be, and no file holds one. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DocumentedSecrets } from "./references.ts";

/** From the table of the page: name, keys. */
export async function documentedSecrets(page: string): Promise<DocumentedSecrets> {
  const text = await readFile(page, "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith("Secrets\n")) ?? "";
  const rows = [...section.matchAll(/^\| `([^`]+)` \| ((?:`[^`]+`(?:, )?)+) \|/gm)];
  const all = new Map<string, Set<string>>();
  for (const [, name = "", keys = ""] of rows) {
    const known = all.get(name) ?? new Set<string>();
    for (const [, key] of keys.matchAll(/`([^`]+)`/g)) known.add(key as string);
    all.set(name, known);
  }
  return all;
}

const signs: readonly (readonly [RegExp, string])[] = [
  [/^kind: Secret$/m, "a Secret"],
  [/-----BEGIN/, "a key or certificate"],
  [/"password_hash":\s*"[^"]+"/, "the hash of a password"],
  [/[a-z]+:\/\/[^\s:/@]+:(?!PASSWORD@)[^\s:/@]+@/, "an address with a password"],
  [/^\s*-?\s*(\w*(password|token|secret|cookie))\s*[:=]\s*["']?(?!\$|\/)[A-Za-z0-9+/]{12,}/im, "a password"],
];

/** @param home k8s/ */
export async function secretValueFaults(home: string): Promise<string[]> {
  const names = await readdir(home, { recursive: true });
  const files = names.filter((name) => /\.(ya?ml|json|conf)$/.test(name));
  const found = await Promise.all(
    files.map(async (name) =>
      secretsIn(await readFile(join(home, name), "utf8")).map((what) => `${name} holds ${what}`),
    ),
  );
  return found.flat();
}

export function secretsIn(text: string): string[] {
  return signs.filter(([form]) => form.test(text)).map(([, what]) => what);
}
