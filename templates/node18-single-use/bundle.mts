/**
 * Inside the image's build stage: tests the function in `function/` and leaves what runs in `bundle/`.
 *
 * A step of this project comes with the paths of `configuration.copy` beside it, so `function/` is a small checkout
 * with a bundler of its own. Anybody else's function is bundled with what the template brings.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeBundle, writeDescription } from "./cli/inside/describe-bundle.ts";

const handlers = ["handler.js", "handler.mjs", "handler.cjs", "handler.ts", "handler.mts", "handler.cts"];
const isCheckout = existsSync("function/cli/build/bundle-function.ts");
const tools = isCheckout ? "./function/cli/build" : "./cli/build";

dropExample();
if (!isCheckout) test();
const { bundleFunction } = await import(`${tools}/bundle-function.ts`);
const { copyPackages } = await import(`${tools}/copy-packages.ts`);
const bundled = await bundleFunction(resolve("function", handlerFile()), resolve("bundle"));
const packages = Object.values(bundled).flatMap((file) => (file as { packages: string[] }).packages);
await copyPackages(packages, resolve("function/node_modules"), resolve("bundle/node_modules"));
await describe();
// What a handler opened while it was read is not waited for.
process.exit(0);

/**
 * faas-cli lays the handler over the template's own `function/`, so what the handler does not have is the example's:
 * its handler.ts would stand beside a handler.js, and its test would test another function.
 */
function dropExample(): void {
  const others = handlers.filter((name) => name !== "handler.ts" && existsSync(join("function", name)));
  if (others.length > 0) dropIfExample("handler.ts");
  if (!isExample("handler.ts")) dropIfExample("handler.test.ts");
}

function dropIfExample(name: string): void {
  if (!isExample(name)) return;
  rmSync(join("function", name));
  say(`left out function/${name}: it is the template's example`);
}

function isExample(name: string): boolean {
  const [own, example] = [join("function", name), join("example", name)];
  return existsSync(own) && existsSync(example) && readFileSync(own).equals(readFileSync(example));
}

function handlerFile(): string {
  const found = handlers.filter((name) => existsSync(join("function", name)));
  if (found.length === 1) return found[0] as string;
  say(found.length === 0 ? `no handler: write one of ${handlers.join(", ")}` : `which is it? ${found.join(" and ")}`);
  process.exit(1);
}

/** As the official templates do it: a failing test fails the build. */
function test(): void {
  const { scripts = {} } = JSON.parse(readFileSync("function/package.json", "utf8"));
  if (scripts.test === undefined) return;
  const { status } = spawnSync("npm", ["test"], { cwd: "function", stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** Beside the bundle: its SBOM and its licences. What the image's labels say is said there too. */
async function describe(): Promise<void> {
  const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const given = (name: string) => process.env[name] || undefined;
  const onGap = (sentence: string) => say(`not in the SBOM or the licences: ${sentence}`);
  const own = existsSync("function/package.json") ? manifest("function") : {};
  const { version, license: licence } = manifest(".");
  const subject = {
    name: given("TITLE") ?? manifest("bundle").name,
    version: given("VERSION") ?? own.version,
    licence: given("LICENSES") ?? own.license,
    ...(isCheckout ? { group: "dynamos-faas" } : { runtime: { name: "dynamos-faas", version, licence } }),
  };
  const folder = resolve("bundle");
  const described = await describeBundle(subject, { home: resolve("function"), folder, files: bundled }, onGap);
  await writeDescription(described, folder, readFileSync("LICENSE", "utf8"), onGap);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
