/** One data folder per party, holding links to that party's files and nothing of anybody else. */
import { mkdir, readdir, symlink } from "node:fs/promises";
import { basename, join, resolve } from "node:path";

/**
 * @param source folder with files named `Table_PARTY.csv`, `.parquet`, or `Name_PARTY.postgres.json`
 * @returns the folder of a party, made empty where the party has no files
 */
export async function linkDataFolders(source: string, target: string, parties: readonly string[]): Promise<void> {
  const names = await readdir(source);
  for (const party of parties) {
    const folder = join(target, party);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of names.filter((one) => partyOfFile(one) === party)) {
      await symlink(resolve(source, name), join(folder, basename(name)));
    }
  }
}

function partyOfFile(name: string): string | undefined {
  return /^.+_([^_]+)\.(?:csv|parquet|postgres\.json)$/.exec(name)?.[1];
}
