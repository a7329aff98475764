import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importCsv } from "./import-csv.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("names a folder for imports that is gone, however long the file is, and goes on", async () => {
  const source = join(folder, "v.csv");
  await writeFile(source, `v;n\n${"1;2\n".repeat(500_000)}`);
  const gone = importCsv({ source, target: join(folder, "gone/v.parquet"), delimiter: ";", described: new Map() });
  await expect(gone).rejects.toMatchObject({ label: "DATA_UNREADABLE", message: "v.csv can't be imported" });
});
