/** Makes build/release from the checkout as it is; `npm run release` sets the version before. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "#domain/version";
import { makeImageRoot } from "../image/image-root.ts";
import { notAllowed } from "../inside/allowed-licences.ts";
import { licenceList } from "../inside/licence-list.ts";
import { order } from "../inside/packages-inside.ts";
import { changelogSection } from "./changelog.ts";
import { bundleFunctions, refuseGap } from "./release-parts.ts";
import { buildContracts } from "./released-contracts.ts";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
// Bundles name their sources as seen from here.
process.chdir(home);
const target = join(home, "build/release");
await mkdir(dirname(target), { recursive: true });
const fresh = await mkdtemp(`${target}-`);
try {
  await writeRelease(fresh);
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
} catch (error) {
  process.stderr.write(`error ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(fresh, { recursive: true, force: true });
}

async function writeRelease(folder: string): Promise<void> {
  const parts = await bundleFunctions(home, join(folder, "functions"));
  parts.push(await makeImageRoot(home, join(folder, "image")));
  const packages = parts.flatMap((part) => part.packages);
  const refused = notAllowed(packages);
  if (refused.length > 0) throw new Error(refused.join("\n"));
  await mkdir(join(folder, "sbom"));
  for (const { name, sbom } of parts) await writeFile(join(folder, "sbom", `${name}.cdx.json`), sbom);
  packages.sort((a, b) => order(a.name, b.name) || order(a.version, b.version));
  await writeFile(join(folder, "licences.txt"), await licenceList(packages, refuseGap));
  await writeFile(join(folder, "contracts.binpb"), buildContracts(home));
  const section = changelogSection(await readFile(join(home, "CHANGELOG.md"), "utf8"), version);
  if (section !== undefined) await writeFile(join(folder, "notes.md"), `# dynamos ${version}\n\n${section.text}\n`);
  await writeFile(join(folder, "SHA256SUMS"), await sumsOf(folder));
  const distinct = new Set(packages.map((inside) => `${inside.name}@${inside.version}`)).size;
  process.stdout.write(`build/release: ${version}, ${parts.length} bundles, ${distinct} packages inside\n`);
}

/** For `sha256sum -c`, in order of path. */
async function sumsOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = paths.sort().map(async (path) => {
    const digest = createHash("sha256").update(await readFile(path));
    return `${digest.digest("hex")}  ${relative(folder, path)}\n`;
  });
  return (await Promise.all(lines)).join("");
}
