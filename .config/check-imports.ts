/** Checks the import law, and that there was something to check. */
import { createRequire } from "node:module";
import { cruise, type IReporterOutput } from "dependency-cruiser";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";

/** Fewer means that the tool saw no TypeScript: it then finds no violation either. */
const modulesMin = 60;
const config = createRequire(import.meta.url)("./dependency-cruiser.cjs");

const { output }: IReporterOutput = await cruise(
  ["shared", "functions", "cli"],
  { ...config.options, ruleSet: { forbidden: config.forbidden }, validate: true },
  undefined,
  { tsConfig: extractTSConfig("tsconfig.json") },
);
if (typeof output === "string") throw new Error("dependency-cruiser gave no modules");
const ours = output.modules.filter(({ source }) => /^(shared|functions|cli)\//.test(source));
const arrows = ours
  .flatMap(({ dependencies }) => dependencies)
  .filter(({ resolved }) => resolved.startsWith("shared/"));
for (const { rule, from, to } of output.summary.violations) {
  process.stderr.write(`${rule.name}: ${from} → ${to}\n`);
}
if (ours.length < modulesMin || arrows.length < modulesMin) {
  process.stderr.write(
    `only ${ours.length} modules and ${arrows.length} imports were seen: the check does not see the code\n`,
  );
  process.exitCode = 1;
} else if (output.summary.violations.length > 0) {
  process.exitCode = 1;
} else {
  process.stdout.write(`${ours.length} modules, ${arrows.length} imports between layers, no violation\n`);
}
