/** One page with a picture of each run: what was answered and refused in each second, and how long it took. */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { percentile } from "../../cli/bench/statistics.ts";
import { barsOf, type Moment, scatterOf } from "./plots.ts";
import { type Point, readPoints } from "./read-points.ts";

/** @param files of `--out`. @throws Error where there is none, or one has no query in it */
export async function writeReport(files: readonly string[], to: string): Promise<void> {
  if (files.length === 0) throw new Error("report needs the files that --out has written");
  const sections: string[] = [];
  for (const file of files) sections.push(sectionOf(basename(file), await readPoints(file)));
  await writeFile(to, pageOf(sections));
}

function sectionOf(name: string, points: readonly Point[]): string {
  const of = (metric: string) => points.filter((point) => point.metric === metric);
  const answered = of("query_answered_ms");
  const shed = of("query_shed").filter(({ value }) => value === 1);
  const wrong = of("query_wrong");
  const all = [...answered, ...shed, ...wrong];
  if (all.length === 0) throw new Error(`${name}: there is no query in it`);
  const startMs = all.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  const second = ({ atMs }: Point) => Math.floor((atMs - startMs) / 1_000);
  const moments = new Map<number, Moment>();
  for (const [kind, list] of Object.entries({ right: answered, shed, wrong })) {
    for (const point of list) {
      const moment = moments.get(second(point)) ?? { second: second(point), right: 0, shed: 0, wrong: 0 };
      moments.set(moment.second, { ...moment, [kind]: moment[kind as keyof Moment] + 1 });
    }
  }
  const took = answered.map(({ value }) => value);
  const ms = (share: number) => (took.length === 0 ? "–" : `${Math.round(percentile(took, share))} ms`);
  return `<section><h2>${escaped(name)}</h2>
<p>${answered.length} right, ${shed.length} refused early, ${wrong.length} wrong. Answered in ${ms(0.5)} (p50), ${ms(0.95)} (p95), ${ms(0.99)} (p99), ${ms(1)} at most.</p>
<figure>${scatterOf(answered.map(({ atMs, value }) => ({ s: (atMs - startMs) / 1_000, ms: value })))}<figcaption>time of each answered query, by when it was answered</figcaption></figure>
<figure>${barsOf([...moments.values()])}<figcaption>queries in each second: right, refused early, wrong</figcaption></figure></section>`;
}

function pageOf(sections: readonly string[]): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Load tests</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}figure{margin:1rem 0}figcaption{color:#666;font-size:.85rem}svg{width:100%;height:auto}</style>
<h1>Load tests</h1>${sections.join("\n")}</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
