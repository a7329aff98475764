/** Inside the image's build stage: leaves in build/image what becomes the image's file system. */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "#domain/version";
import { notAllowed } from "../inside/allowed-licences.ts";
import { makeImageRoot } from "./image-root.ts";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const [wanted = version] = process.argv.slice(2);
if (wanted !== version) {
  process.stderr.write(`the image would be labelled ${wanted}, and package.json says ${version}\n`);
  process.exit(1);
}
const target = join(home, "build/image");
await rm(target, { recursive: true, force: true });
const { packages } = await makeImageRoot(home, target);
const refused = notAllowed(packages);
for (const sentence of refused) process.stderr.write(`${sentence}\n`);
process.exitCode = refused.length === 0 ? 0 : 1;
