/** `npm run manifests`: checks every set of k8s/, and says what is wrong. */
import { resolve } from "node:path";
import { faultsOf, readKnown } from "./check.ts";
import { secretValueFaults } from "./secrets.ts";
import { renderSet, sets } from "./sets.ts";
import { stackFaults } from "./stack-agreement.ts";

const home = resolve(import.meta.dirname, "../..");
const known = await readKnown(home);
const faults = await secretValueFaults(`${home}/k8s`);
let objects = 0;
for (const set of Object.keys(sets)) {
  const manifests = await renderSet(`${home}/k8s`, set);
  objects += manifests.length;
  faults.push(...faultsOf(manifests, known).map((fault) => `${set}: ${fault}`));
  if (set === "plain") faults.push(...stackFaults(manifests, known.stack).map((fault) => `${set}: ${fault}`));
}
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(`${objects} objects in ${Object.keys(sets).length} sets, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
