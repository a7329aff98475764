/** Measures part by part and writes the page after each, so that a run that is broken off leaves what it has. */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { home } from "../../stack/parties.ts";
import { isBenchResult } from "../bench-result.ts";
import { machineOf, type Quiet, quietNow } from "./machine.ts";
import { type Part, reportOf, wrongIn } from "./page.ts";

export interface ReportOptions {
  /** What to measure, in the page's order. */
  readonly parts: Readonly<Record<string, (say: (line: string) => void) => unknown>>;
  /** Folder of the page; the pictures are in `performance/` of it. */
  readonly folder: string;
  readonly quick: boolean;
  /** Keep what earlier runs on this machine measured of other parts. */
  readonly keepsOthers: boolean;
  /** Folder for what is measured; absent: in the build's. */
  readonly kept?: string;
  /** How quiet the machine is; absent: as it is found now. */
  readonly look?: () => Quiet;
}

const keptDefault = join(home, "build/bench-report");
const template = join(import.meta.dirname, "page.md");

/** @returns the parts that failed or had wrong answers */
export async function writeReport(options: ReportOptions, say: (line: string) => void): Promise<string[]> {
  const { kept = keptDefault, look = quietNow, quick } = options;
  const names = Object.keys(options.parts);
  if (!options.keepsOthers) await rm(kept, { recursive: true, force: true });
  await mkdir(kept, { recursive: true });
  const bad: string[] = [];
  for (const [at, [name, run]] of Object.entries(options.parts).entries()) {
    say(`part ${at + 1} of ${names.length}: ${name}`);
    const part = await measured({ name, run, quick, look }, (line) => say(`  ${name}: ${line}`));
    if (part.failure !== undefined || wrongIn(part) > 0) bad.push(name);
    say(`part ${at + 1} of ${names.length}: ${name} ${outcomeOf(part)} after ${part.seconds.toFixed(0)} s`);
    await writeFile(join(kept, `${name}.json`), JSON.stringify(part));
    await writePage(options.folder, kept);
  }
  return bad;
}

interface PartToMeasure {
  readonly name: string;
  readonly run: (say: (line: string) => void) => unknown;
  readonly quick: boolean;
  readonly look: () => Quiet;
}

async function measured({ name, run, quick, look }: PartToMeasure, say: (line: string) => void): Promise<Part> {
  const [startedAt, startedMs, before] = [new Date().toISOString(), performance.now(), look()];
  const lines: string[] = [];
  const hear = (line: string) => {
    lines.push(line);
    say(line);
  };
  const end = () => ({
    name,
    startedAt,
    quick,
    before,
    seconds: (performance.now() - startedMs) / 1_000,
    after: look(),
  });
  try {
    const returned = await run(hear);
    if (isBenchResult(returned)) return { ...end(), result: returned };
    const wrong = typeof returned === "number" ? { wrong: returned } : {};
    return { ...end(), text: lines.join("\n"), ...wrong };
  } catch (error) {
    return { ...end(), failure: (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "" };
  }
}

function outcomeOf(part: Part): string {
  if (part.failure !== undefined) return `FAILED (${part.failure})`;
  return wrongIn(part) > 0 ? `had ${wrongIn(part)} wrong answers` : "done";
}

async function writePage(folder: string, kept: string): Promise<void> {
  const files = (await readdir(kept)).filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(files.map((name) => readFile(join(kept, name), "utf8")));
  const parts = texts.map((text) => JSON.parse(text) as Part).sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  const { page, pictures } = reportOf(parts, machineOf(), await readFile(template, "utf8"));
  const pictureFolder = join(folder, "performance");
  await rm(pictureFolder, { recursive: true, force: true });
  await mkdir(pictureFolder, { recursive: true });
  for (const [name, svg] of Object.entries(pictures)) await writeFile(join(pictureFolder, name), svg);
  await writeFile(join(folder, "performance.md"), page);
}
