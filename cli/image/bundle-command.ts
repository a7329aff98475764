/** The `dynamos` command as one file that needs Node and nothing else: what the image runs. */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { type BundledFile, bundledFile } from "../build/bundle-function.ts";

/** For packages that are CommonJS, in a file that is an ES module. */
const banner = `#!/usr/bin/env node
import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url);`;

/**
 * @param home the checkout
 * @param outfile two folders below what stands for the checkout: there the command looks for `stack.yml`
 * @throws Error when it would need a native package: those can't be in one file
 */
export async function bundleCommand(home: string, outfile: string): Promise<BundledFile> {
  const { metafile } = await build({
    entryPoints: [join(home, "cli/main.ts")],
    absWorkingDir: home,
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: banner },
    // Readable stack traces; 1 MB less is nothing beside the base image.
    minify: false,
    metafile: true,
    logLevel: "warning",
  });
  await chmod(outfile, 0o755);
  return bundledFile(metafile, home);
}
