/**
 * For .ci/try-image.sh: functions as faas-cli lays them out for a build, and a stand-in for of-watchdog.
 * `lay-out.ts FOLDER NAME…`: `greeter` is the template's example, any other name a function of stack.yml.
 */
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { newFunction, pullTemplate, shrinkwrap, shrinkwrapOfStack } from "../faas-cli.ts";

const home = resolve(import.meta.dirname, "../../..");
const [folder = resolve("build/image-try"), ...names] = process.argv.slice(2);
const [project, lang] = [join(folder, "project"), "node18-single-use"];
for (const name of names) {
  const target = join(folder, name);
  if (name === "greeter") {
    await pullTemplate(home, project, lang);
    await newFunction(project, lang, name);
    await shrinkwrap({ project, lang, handler: name, copy: [], target });
  } else {
    await shrinkwrapOfStack(home, name, target);
  }
}
await build({
  entryPoints: [join(home, "shared/testing/watchdog/stand-in.ts")],
  outfile: join(folder, "fwatchdog"),
  bundle: true,
  platform: "node",
  banner: { js: "#!/usr/bin/env node" },
});
