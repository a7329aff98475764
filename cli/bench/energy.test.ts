import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { energyBetween, energyNow } from "./energy.ts";

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true }))));

async function powercap(microjoules: Readonly<Record<string, number>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-powercap-"));
  folders.push(folder);
  for (const [name, used] of Object.entries(microjoules)) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "energy_uj"), `${used}\n`);
    await writeFile(join(folder, name, "max_energy_range_uj"), "1000000000\n");
  }
  return folder;
}

test("adds up the packages, and not what is inside of them", async () => {
  const before = energyNow(await powercap({ "intel-rapl:0": 1e6, "intel-rapl:0:0": 1e6, "intel-rapl:1": 5e6 }));
  const after = energyNow(await powercap({ "intel-rapl:0": 4e6, "intel-rapl:0:0": 9e6, "intel-rapl:1": 6e6 }));
  expect(energyBetween(before, after)).toBe(4);
});

test("goes on where a counter began again", async () => {
  const before = energyNow(await powercap({ "intel-rapl:0": 999e6 }));
  const after = energyNow(await powercap({ "intel-rapl:0": 2e6 }));
  expect(energyBetween(before, after)).toBe(3);
});

test("says nothing where the machine does not tell", () => {
  const none = energyNow("/nowhere");
  expect(energyBetween(none, none)).toBeUndefined();
});
