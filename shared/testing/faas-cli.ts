/**
 * What `faas-cli` does with a template: `template pull`, `new` and `build --shrinkwrap`. The real one where it is on
 * the PATH or in build/tools, else its copying done again (its builder/copy.go and builder/build.go).
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { readStack } from "../../cli/stack/read-stack.ts";
import { findTool } from "./find-tool.ts";

const faasCli = findTool("faas-cli");

/** `configuration.templates` and `faas-cli template pull`: a copy of the template in a project of its own. */
export async function pullTemplate(from: string, project: string, lang: string): Promise<void> {
  await copyFiles(join(from, "template", lang), join(project, "template", lang));
}

/** `faas-cli new --lang`: the template's `function/` becomes the handler's folder. */
export async function newFunction(project: string, lang: string, name: string): Promise<string> {
  if (faasCli !== undefined) {
    execFileSync(faasCli, ["new", name, "--lang", lang, "--quiet"], { cwd: project, stdio: "ignore" });
  } else {
    await copyFiles(join(project, "template", lang, "function"), join(project, name));
  }
  return join(project, name);
}

export interface Shrinkwrap {
  /** Where `template/` is and the paths of `copy` are. */
  readonly project: string;
  readonly lang: string;
  /** Folder, relative to the project. */
  readonly handler: string;
  readonly copy: readonly string[];
  readonly target: string;
}

/** `faas-cli build --shrinkwrap`: the template, the handler over its `function/`, each path of `copy` inside that. */
export async function shrinkwrap({ project, lang, handler, copy, target }: Shrinkwrap): Promise<void> {
  const within = join(target, "function");
  await copyFiles(join(project, "template", lang), target);
  for (const name of await readdir(join(project, handler))) {
    if (name === "build" || name === "template") continue;
    await copyFiles(join(project, handler, name), join(within, name));
  }
  for (const path of copy) {
    if (relative(project, join(project, path)).startsWith("..")) throw new Error(`${path} is outside of the project`);
    await copyFiles(join(project, path), join(within, path));
  }
}

/** A function of this checkout's stack.yml. */
export async function shrinkwrapOfStack(home: string, name: string, target: string): Promise<void> {
  const { functions, copy } = await readStack(join(home, "stack.yml"), { environment: {} });
  const found = functions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no function ${name} in stack.yml`);
  await shrinkwrap({ project: home, lang: found.lang, handler: found.handler, copy, target });
}

/** Follows symbolic links, as Go's os.Stat does. Packages are left out: .dockerignore does so before a build sees them. */
async function copyFiles(from: string, to: string): Promise<void> {
  if (from.endsWith("node_modules")) return;
  if ((await stat(from)).isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await readdir(from)) await copyFiles(join(from, name), join(to, name));
  } else {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to);
  }
}
