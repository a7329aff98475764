/** A checkout with one tiny function that imports packages made for it: what is said of them, and what is refused. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundleFunction } from "../build/bundle-function.ts";
import { describePart, refuseGap } from "../release/release-parts.ts";
import { isAllowed, notAllowed } from "./allowed-licences.ts";
import { licenceList } from "./licence-list.ts";

const checkout = resolve(import.meta.dirname, "../..");
let home: string;
let locked: Record<string, { version: string; integrity: string }>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "dynamos-release-"));
  await symlink(join(checkout, "shared"), join(home, "shared"));
  await write("package.json", await readFile(join(checkout, "package.json"), "utf8"));
  await write("tsconfig.json", await readFile(join(checkout, "tsconfig.json"), "utf8"));
  locked = JSON.parse(await readFile(join(checkout, "package-lock.json"), "utf8")).packages;
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(home, path)), { recursive: true });
  await writeFile(join(home, path), text);
}

/** Installs a package: its module, its licence, and its place in the lock file. */
async function plant(place: string, manifest: Record<string, unknown>, code: string): Promise<void> {
  const described = { name: place.split("node_modules/").at(-1), version: "1.2.3", main: "index.js", ...manifest };
  await write(`${place}/package.json`, JSON.stringify(described));
  await write(`${place}/index.js`, code);
  locked[place] = { version: "1.2.3", integrity: `sha512-${Buffer.alloc(64, 1).toString("base64")}` };
}

async function describeTiny(...imports: string[]) {
  const names = imports.map((_, i) => `x${i}`);
  const lines = imports.map((name, i) => `import x${i} from "${name}";`);
  await write(
    "functions/tiny/handler.ts",
    `${lines.join("\n")}
import { fail } from "#domain/outcome";
export default { name: "tiny", isolation: "shared", accepts: "nothing", facts: () => 1, decide: () => fail(90, String([${names}])) };`,
  );
  await write("package-lock.json", JSON.stringify({ packages: locked }));
  const folder = join(home, "out");
  const files = await bundleFunction(join(home, "functions/tiny/handler.ts"), folder);
  return describePart("tiny", { home, folder, files });
}

const refs = (sbom: string) =>
  (JSON.parse(sbom) as { components: { "bom-ref": string }[] }).components.map((one) => one["bom-ref"]);

it("lists a package that a function imports, and the one inside that, and none that it does not use", async () => {
  const before = refs((await describeTiny()).sbom);
  await plant("node_modules/@made/planted", { license: "MIT" }, `import y from "inner"; export default y + 1;`);
  await plant("node_modules/@made/planted/node_modules/inner", { license: "0BSD" }, "export default 1;");
  await plant("node_modules/bystander", { license: "MIT" }, "export default 1;");
  const { sbom } = await describeTiny("@made/planted");
  expect(refs(sbom).filter((ref) => !before.includes(ref))).toEqual([
    "pkg:npm/%40made/planted@1.2.3",
    "pkg:npm/inner@1.2.3",
  ]);
  expect(sbom).toContain(`"content": "${"01".repeat(64)}"`);
});

it("lists no package of which nothing is left in the bundle", async () => {
  const before = refs((await describeTiny()).sbom);
  await plant("node_modules/shaken", { license: "MIT", sideEffects: false }, "export const a = 1; export const b = 2;");
  await plant("node_modules/kept", { license: "MIT" }, `import { a } from "shaken"; export default 2;`);
  const { sbom } = await describeTiny("kept");
  expect(refs(sbom).filter((ref) => !before.includes(ref))).toEqual(["pkg:npm/kept@1.2.3"]);
});

it("refuses a package under the GPL by name, and one that does not say its licence", async () => {
  await plant("node_modules/copyleft", { license: "GPL-3.0-only" }, "export default 1;");
  expect(notAllowed((await describeTiny("copyleft")).packages)).toEqual([
    expect.stringContaining("copyleft@1.2.3 is under GPL-3.0-only, which is none of 0BSD,"),
  ]);
  await plant("node_modules/silent", {}, "export default 1;");
  await expect(describeTiny("silent")).rejects.toThrow("silent@1.2.3 does not say its licence");
});

it("refuses a package that is not the one of the lock file", async () => {
  await plant("node_modules/swapped", { license: "MIT", version: "6.6.6" }, "export default 1;");
  await expect(describeTiny("swapped")).rejects.toThrow(
    "node_modules/swapped is swapped@6.6.6, and package-lock.json has 1.2.3: npm ci puts that right",
  );
});

it("passes on each licence's text: the package's files, or its sources' notice and the standard text", async () => {
  await plant("node_modules/with-file", { license: "MIT" }, "export default 1;");
  await write("node_modules/with-file/LICENCE.txt", "Permission is granted by W.");
  await write("node_modules/with-file/NOTICE", "W made it.");
  await plant("node_modules/in-source", { license: "Apache-2.0" }, "// Copyright 2020 S.\nexport default 1;");
  const list = await licenceList((await describeTiny("with-file", "in-source")).packages, refuseGap);
  expect(list).toContain("with-file 1.2.3 (MIT)\n\nPermission is granted by W.\n\nW made it.\n");
  expect(list).toContain("in-source 1.2.3 (Apache-2.0)\n\nCopyright 2020 S.\n");
  await plant("node_modules/textless", { license: "ISC" }, "export default 1;");
  await expect(licenceList((await describeTiny("textless")).packages, refuseGap)).rejects.toThrow(
    "textless@1.2.3 brings no text of ISC",
  );
});

it.each([
  ["MIT", true],
  ["GPL-3.0-only", false],
  ["(MIT OR GPL-3.0-only)", true],
  ["MIT AND GPL-3.0-only", false],
  ["(Apache-2.0 AND BSD-3-Clause)", true],
  ["GPL-2.0-only AND MIT OR ISC", true],
  ["GPL-2.0-only AND (MIT OR ISC)", false],
  ["Apache-2.0 WITH LLVM-exception", false],
  ["(MIT", false],
  ["MIT ISC", false],
  ["", false],
  ["SEE LICENSE IN EULA", false],
  ["UNLICENSED", false],
])("of the expression %j says %s", (expression, allowed) => {
  expect(isAllowed(expression)).toBe(allowed);
});
