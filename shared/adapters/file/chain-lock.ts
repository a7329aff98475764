/**
 * Lets one process at a time write a chain. Node has no flock: the lock is a file that its holder touches
 * again and again. One that is not touched for `limits.recordLockMs` was left by a process that died.
 */
import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export interface ChainLock {
  /** Looks at the lock. False: another process has taken this one for dead, and writes now. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface ChainLockOptions {
  /** A holder that is silent for so long has died. */
  readonly deadMs?: number;
  readonly beatMs?: number;
}

/** @throws DynamosError RECORD_UNAVAILABLE: it is held; what the file system says */
export async function lockChain(path: string, options: ChainLockOptions = {}): Promise<ChainLock> {
  const { deadMs = limits.recordLockMs, beatMs = limits.recordLockBeatMs } = options;
  const token = randomUUID();
  if (!(await take(path, token))) {
    await displace(path, deadMs);
    if (!(await take(path, token))) throw held(path);
  }
  const mine = await openLock(path, token);
  const beat = setInterval(() => {
    // What is wrong shows when something is written.
    touch(path, token).catch(() => {});
  }, beatMs);
  beat.unref();
  return {
    isHeld: mine.isThere,
    release: async () => {
      clearInterval(beat);
      await mine.close();
      if (await isTokenIn(path, token).catch(() => false)) await rm(path, { force: true });
    },
  };
}

/**
 * The lock that was taken, kept open: as long as it is, no other file can have its number, and one look at the path
 * tells whether it is still there. A look at its content takes four.
 */
async function openLock(path: string, token: string) {
  const file = await open(path, "r");
  const { dev, ino } = await file.stat({ bigint: true });
  return {
    isThere: async () => {
      const there = await stat(path, { bigint: true });
      // Of a file system whose numbers do not last only the content counts.
      return (there.dev === dev && there.ino === ino) || isTokenIn(path, token);
    },
    close: () => file.close(),
  };
}

/** The file appears with its content, or not at all. @returns whether there was none */
async function take(path: string, token: string): Promise<boolean> {
  const prepared = `${path}.${token}`;
  await writeFile(prepared, token, { mode: 0o600 });
  try {
    await link(prepared, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(prepared);
  }
}

/** Removes a lock that nobody touches. @throws DynamosError RECORD_UNAVAILABLE when somebody does */
async function displace(path: string, deadMs: number): Promise<void> {
  const before = await stat(path).catch(() => undefined);
  if (before === undefined) return;
  // Two looks at the same file system: its clock and ours need not agree.
  await wait(deadMs);
  const after = await stat(path).catch(() => undefined);
  if (after === undefined) return;
  if (after.ino !== before.ino || after.mtimeMs !== before.mtimeMs) throw held(path);
  const away = `${path}.dead.${randomUUID()}`;
  await rename(path, away).catch(ignoreAbsence);
  // Another one may have displaced the same lock and taken it: give it back.
  const moved = await stat(away).catch(() => undefined);
  if (moved !== undefined && moved.ino !== before.ino) await link(away, path).catch(() => {});
  await rm(away, { force: true });
}

async function touch(path: string, token: string): Promise<void> {
  const now = new Date();
  if (await isTokenIn(path, token)) await utimes(path, now, now);
}

async function isTokenIn(path: string, token: string): Promise<boolean> {
  return (await readFile(path, "utf8")) === token;
}

function held(path: string): DynamosError {
  const name = path.split("/").at(-1);
  return new DynamosError(ErrorCode.RECORD_UNAVAILABLE, `another process writes this chain: ${name} is held`);
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
