/** Records as they lie on a disk: each party's chains, the oldest first. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { linesOf, segmentsIn } from "#adapters/file/chain-files";
import type { RecordLine } from "#domain/audit/verification";

interface StoredChain {
  readonly paths: readonly string[];
  /** Of its first record; 0 where that can't be read. */
  readonly beganAtMs: number;
}

/** @param party absent: all. @throws Error that names the folder when there is none */
export async function* storedLines(folder: string, party?: string): AsyncGenerator<RecordLine> {
  for (const name of await partyFolders(folder, party)) {
    for (const { paths } of await chainsIn(join(folder, name))) {
      for (const path of paths) yield* linesOfFile(path);
    }
  }
}

/** With the file's path and the number of each line. */
export async function* linesOfFile(path: string): AsyncGenerator<RecordLine> {
  let line = 0;
  for await (const { text, isUnfinished } of linesOf(path)) {
    line += 1;
    yield { file: path, line, text, isUnfinished };
  }
}

async function partyFolders(folder: string, party: string | undefined): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) throw new Error(`there is no folder ${folder}: name one with --records`);
  const parties = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const wanted = parties.filter((name) => party === undefined || decodeURIComponent(name) === party).sort();
  if (wanted.length > 0) return wanted;
  throw new Error(
    party === undefined ? `there are no records in ${folder}` : `there is no record of ${party} in ${folder}`,
  );
}

async function chainsIn(folder: string): Promise<StoredChain[]> {
  const paths = new Map<string, string[]>();
  for (const { instance, path } of await segmentsIn(folder)) {
    paths.set(instance, [...(paths.get(instance) ?? []), path]);
  }
  const chains = await Promise.all(
    [...paths.values()].map(async (files) => ({ paths: files, beganAtMs: await beginOf(files[0] ?? "") })),
  );
  return chains.sort((a, b) => a.beganAtMs - b.beganAtMs);
}

async function beginOf(path: string): Promise<number> {
  for await (const { text } of linesOf(path)) return Number(fieldsOf(text).atMs ?? 0);
  return 0;
}

/** Of a line that may be anything. */
export function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
