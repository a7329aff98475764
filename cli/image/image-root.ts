/** The file system that the image adds to its base: the command, and what must go with it. */
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { licenceList } from "../inside/licence-list.ts";
import { describePart, type ReleasePart } from "../release/release-parts.ts";
import { bundleCommand } from "./bundle-command.ts";

/** Stands for the checkout: the command finds `stack.yml` here, and an operator the rest. */
const place = "opt/dynamos";
const command = "cli/bin/dynamos.mjs";

/** @param target becomes `/` of the image; empty, or absent */
export async function makeImageRoot(home: string, target: string): Promise<ReleasePart> {
  const folder = join(target, place);
  const files = { [command]: await bundleCommand(home, join(folder, command)) };
  const part = await describePart("dynamos", { home, folder, files });
  for (const name of ["stack.yml", "LICENSE"]) await copyFile(join(home, name), join(folder, name));
  await writeFile(join(folder, "licences.txt"), await licenceList(part.packages));
  await writeFile(join(folder, "sbom.cdx.json"), part.sbom);
  const onPath = join(target, "usr/local/bin/dynamos");
  await mkdir(dirname(onPath), { recursive: true });
  // Relative, so that it leads to the same file wherever the image is unpacked.
  await symlink(`../../../${place}/${command}`, onPath);
  return part;
}
