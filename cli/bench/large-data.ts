/** Tables of many rows for two providers, and the questions for all of their rows. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { dataSetKey } from "#domain/knowledge-keys";
import type { QueryBody } from "../commands/ask.ts";
import { demoDocuments } from "../demo/documents.ts";
import { defaultDataSet } from "../system/seed.ts";
import { makeTemporaryFolder } from "../system/temporary-folder.ts";
import type { BenchData } from "./bench-system.ts";

export interface LargeData extends BenchData {
  remove(): Promise<void>;
}

/** One without demanded steps, and one whose demanded step finds nothing to do here. */
const [provider, other] = ["VU", "UVA"];
const columns = ["id", "gender", "scale", "hours"];
const rowsAtOnce = 10_000;

/** For each size a whole table at the one, and the half of it at both. */
export async function makeLargeTables(sizes: readonly number[]): Promise<LargeData> {
  const { path: folder, remove } = await makeTemporaryFolder("data");
  try {
    const halves = sizes.map((rows) => rows / 2);
    const counts = { [provider]: [...new Set([...sizes, ...halves])], [other]: [...new Set(halves)] };
    for (const [party, all] of Object.entries(counts)) {
      for (const rows of all) await writeTable(join(folder, `${tableOf(rows)}_${party}.csv`), rows);
    }
    const dataSets = Object.entries(counts).map(([party, all]) => {
      const tables = all.map((rows) => ({
        name: tableOf(rows),
        file: `${tableOf(rows)}_${party}.csv`,
        columns: columns.map((name) => ({ name })),
      }));
      const value = { name: defaultDataSet, party, type: "csv", delimiter: ";", tables };
      return { key: dataSetKey(party, defaultDataSet), value };
    });
    return { folder, documents: [...demoDocuments, ...dataSets], remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

export function rowsQuery(archetype: "computeToData" | "dataThroughTtp", rows: number): QueryBody {
  const sql = (count: number) => `SELECT id, gender, scale, hours FROM ${tableOf(count)}`;
  const timeoutMs = 120_000;
  return archetype === "computeToData"
    ? { providers: [provider], sql: sql(rows), timeoutMs }
    : { providers: [provider, other], sql: sql(rows / 2), options: { aggregate: true }, timeoutMs };
}

/** What all ids of the answer add up to: from 1 on, in each half again. */
export function idSum(rows: number, archetype: "computeToData" | "dataThroughTtp"): number {
  const upTo = (count: number) => (count * (count + 1)) / 2;
  return archetype === "computeToData" ? upTo(rows) : 2 * upTo(rows / 2);
}

function tableOf(rows: number): string {
  return `Rows${rows}`;
}

async function writeTable(file: string, rows: number): Promise<void> {
  function* text() {
    yield `${columns.join(";")}\n`;
    for (let at = 0; at < rows; at += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - at);
      yield Array.from({ length: count }, (_, i) => lineOf(at + i)).join("");
    }
  }
  await pipeline(Readable.from(text()), createWriteStream(file));
}

function lineOf(index: number): string {
  return `${index + 1};${index % 2 === 0 ? "M" : "V"};${1 + ((index * 7) % 18)};${((index * 13) % 41) + 0.5}\n`;
}
