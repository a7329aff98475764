/** What a forked process must be able to do: tried once, in a child that serves nobody. */
import { pbkdf2, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

/** @throws Error when one of it does not work; what hangs is for the door to notice */
export async function testItself(): Promise<void> {
  await Promise.all([wait(1), tryFiles(), tryCrypto(), tryZlib(), trySockets()]);
  useHeap();
  expect(process.pid > 0 && process.memoryUsage().heapUsed > 0, "process");
}

async function tryFiles(): Promise<void> {
  const file = join(tmpdir(), "self-test");
  await writeFile(file, "self-test");
  expect((await readFile(file, "utf8")) === "self-test", "files");
  await rm(file);
}

async function tryCrypto(): Promise<void> {
  const [bytes, key] = await Promise.all([
    promisify(randomBytes)(32),
    promisify(pbkdf2)("self-test", "salt", 10, 32, "sha256"),
  ]);
  expect(bytes.length === 32 && key.length === 32, "crypto");
}

async function tryZlib(): Promise<void> {
  const text = Buffer.alloc(100_000, "self-test");
  expect((await promisify(gunzip)(await promisify(gzip)(text))).equals(text), "zlib");
}

async function trySockets(): Promise<void> {
  const server = createServer((socket) => socket.pipe(socket));
  // No longer than the door's own name, which was seen to fit: what is longer is cut, or refused.
  const path = join(tmpdir(), "sock");
  server.listen(path);
  await once(server, "listening");
  const socket = connect(path);
  socket.end("self-test");
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  expect(Buffer.concat(parts).toString() === "self-test", "sockets");
  server.close();
  await once(server, "close");
}

const rounds = 4;

/** Enough that V8 collects garbage and compiles what is hot. */
function useHeap(): void {
  let kept: { readonly next: unknown; readonly text: string }[] = [];
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    kept = Array.from({ length: 20_000 }, (_, index) => ({ next: kept[index], text: `${index}` })).map((each) => ({
      ...each,
      next: undefined,
    }));
    for (const { text } of kept) sum += text.length;
  }
  expect(sum === rounds * 88_890, "heap");
}

function expect(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`${what} do not work in a forked process`);
}
