/** Checks the import law, and that there was something to check. */
import { fileURLToPath } from "node:url";
import { checkImportLaw } from "./import-law.ts";

/** Fewer means that the tool saw no TypeScript, or followed no `#` import: it then finds no violation either. */
const [modulesMin, arrowsMin] = [60, 60];

const { modules, arrows, violations } = await checkImportLaw(fileURLToPath(new URL("..", import.meta.url)));
for (const violation of violations) process.stderr.write(`${violation}\n`);
if (modules < modulesMin || arrows < arrowsMin) {
  process.stderr.write(`only ${modules} modules and ${arrows} imports were seen: the check does not see the code\n`);
  process.exitCode = 1;
} else if (violations.length > 0) {
  process.stderr.write(`the import law (.config/dependency-cruiser.cjs) is broken ${violations.length} times\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${modules} modules, ${arrows} imports between layers, no violation\n`);
}
