/** Samples of a run from the lines that `k6 run --out json=FILE` and the runner write. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

export interface Point {
  readonly metric: string;
  readonly value: number;
  readonly atMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** @throws Error naming the line that is no such line */
export async function readPoints(file: string): Promise<Point[]> {
  const points: Point[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const point = line === "" ? undefined : pointOf(line, `${file}, line ${number}`);
    if (point !== undefined) points.push(point);
  }
  return points;
}

function pointOf(line: string, where: string): Point | undefined {
  let read: { type?: string; metric?: string; data?: { time?: string; value?: number; tags?: Record<string, string> } };
  try {
    read = JSON.parse(line);
  } catch {
    throw new Error(`${where}: is no line of k6's JSON output`);
  }
  if (read?.type === "Metric") return undefined;
  const { metric, data } = read ?? {};
  const atMs = Date.parse(data?.time ?? "");
  if (read?.type !== "Point" || metric === undefined || typeof data?.value !== "number" || Number.isNaN(atMs)) {
    throw new Error(`${where}: is neither a metric nor a point`);
  }
  return { metric, value: data.value, atMs, tags: data.tags ?? {} };
}
