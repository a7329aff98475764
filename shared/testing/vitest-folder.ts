/** One temporary folder for the whole test run, and none left: what a suite that was killed leaves lies in it too. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default async function setup(): Promise<() => Promise<void>> {
  const before = process.env.TMPDIR;
  // A short name: Unix sockets are made below it, and their paths may have 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), "dyn-"));
  // A database that refuses to be root's has its folder in here too.
  await chmod(folder, 0o711);
  process.env.TMPDIR = folder;
  return async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
}
