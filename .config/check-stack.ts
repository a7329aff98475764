/** A stage of CI: everything that is wrong with stack.yml, which faas-cli would ignore or a cluster say too late. */
import { checkStackFile } from "../cli/stack/check-file.ts";
import { flagsOf, partsOf } from "../cli/stack/parts.ts";

// As it is written: what a shell happens to have set is not the file's.
const { faults, stack } = await checkStackFile("stack.yml", {});
for (const fault of faults) process.stderr.write(`stack.yml: ${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
if (faults.length === 0 && stack !== undefined) {
  const parts = partsOf(stack).map(
    ({ party, selection, functions }) => `${party} ${functions.length} (${flagsOf(selection)})`,
  );
  process.stdout.write(`${stack.functions.length} functions: ${parts.join(", ")}\n`);
}
