/** Reads the imports of a tree and holds them against the import law (dependency-cruiser.cjs). */
import { createRequire } from "node:module";
import { join } from "node:path";
import { cruise } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

const config = createRequire(import.meta.url)("./dependency-cruiser.cjs");

export const ruleNames: readonly string[] = config.forbidden.map(({ name }: { name: string }) => name);

export interface ImportReport {
  readonly modules: number;
  /** Imports of shared code that were followed to a file: 0 when `#` names do not resolve. */
  readonly arrows: number;
  /** `rule: from → to`, sorted. */
  readonly violations: readonly string[];
}

/** @param home the folder that holds shared/, functions/, cli/, package.json and tsconfig.json */
export async function checkImportLaw(home: string): Promise<ImportReport> {
  const { output } = await cruise(
    ["shared", "functions", "cli", "k8s"],
    { ...config.options, baseDir: home, ruleSet: { forbidden: config.forbidden }, validate: true },
    undefined,
    { tsConfig: extractTSConfig(join(home, "tsconfig.json")) },
  );
  if (typeof output === "string") throw new Error("dependency-cruiser gave no modules");
  const ours = output.modules.filter(({ source }) => /^(shared|functions|cli|k8s)\//.test(source));
  const followed = ours
    .flatMap(({ dependencies }) => dependencies)
    .filter(({ resolved, couldNotResolve }) => !couldNotResolve && resolved.startsWith("shared/"));
  const violations = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
  return { modules: ours.length, arrows: followed.length, violations: violations.sort() };
}
