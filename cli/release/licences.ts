/** `npm run licences`: what is in the bundles and in the image, and under which licence. Fails when one is not allowed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeImageRoot } from "../image/image-root.ts";
import { notAllowed } from "../inside/allowed-licences.ts";
import { bundleFunctions } from "./release-parts.ts";

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = await mkdtemp(join(tmpdir(), "dynamos-licences-"));
try {
  const parts = [
    ...(await bundleFunctions(home, join(folder, "functions"))),
    await makeImageRoot(home, join(folder, "image")),
  ];
  const rows = new Map<string, { licence: string; holders: string[] }>();
  for (const { name, packages } of parts) {
    for (const inside of packages) {
      const key = `${inside.name} ${inside.version}`;
      const row = rows.get(key) ?? { licence: inside.licence, holders: [] };
      rows.set(key, row);
      row.holders.push(name);
    }
  }
  for (const key of [...rows.keys()].sort()) {
    const { licence = "", holders = [] } = rows.get(key) ?? {};
    process.stdout.write(`${key.padEnd(44)} ${licence.padEnd(32)} ${holders.join(", ")}\n`);
  }
  const refused = new Set(parts.flatMap(({ packages }) => notAllowed(packages)));
  for (const sentence of refused) process.stderr.write(`${sentence}\n`);
  process.exitCode = refused.size === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
