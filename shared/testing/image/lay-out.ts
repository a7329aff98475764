/** For .ci/try-image.sh: the template's example as faas-cli lays it out for a build, and a stand-in for of-watchdog. */
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { newFunction, pullTemplate, shrinkwrap } from "../faas-cli.ts";

const [home, folder] = [resolve(import.meta.dirname, "../../.."), resolve(process.argv[2] ?? "build/image-try")];
const [project, lang] = [join(folder, "project"), "node18-single-use"];
await pullTemplate(home, project, lang);
await newFunction(project, lang, "greeter");
await shrinkwrap({ project, lang, handler: "greeter", copy: [], target: join(folder, "greeter") });
await build({
  entryPoints: [join(home, "shared/testing/watchdog/stand-in.ts")],
  outfile: join(folder, "fwatchdog"),
  bundle: true,
  platform: "node",
  banner: { js: "#!/usr/bin/env node" },
});
