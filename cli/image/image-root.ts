/** The file system that the image adds to its base: the command, and what must go with it. */
import { copyFile, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDescription } from "../inside/describe-bundle.ts";
import { describePart, type ReleasePart, refuseGap } from "../release/release-parts.ts";
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
  await writeDescription(part, folder, await readFile(join(home, "LICENSE"), "utf8"), refuseGap);
  const onPath = join(target, "usr/local/bin/dynamos");
  await mkdir(dirname(onPath), { recursive: true });
  // Relative, so that it leads to the same file wherever the image is unpacked.
  await symlink(`../../../${place}/${command}`, onPath);
  return part;
}
