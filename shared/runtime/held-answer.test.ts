import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pieceKinds, readPieces } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { type HeldAnswer, holdAnswer } from "./held-answer.ts";

let folder: string;
let server: Server;
let asked: Promise<ServerResponse>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-held-"));
  server = createServer();
  asked = new Promise((resolve) => server.once("request", (_, response) => resolve(response)));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

interface Call {
  readonly held: HeldAnswer;
  readonly response: ServerResponse;
  readonly answer: Promise<IncomingMessage>;
  leave(): void;
}

async function call(into = folder): Promise<Call> {
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: "127.0.0.1" });
  const answer = new Promise<IncomingMessage>((resolve, reject) => client.on("response", resolve).on("error", reject));
  answer.catch(() => {});
  client.end();
  const response = await asked;
  return { held: holdAnswer(response, into), response, answer, leave: () => client.destroy() };
}

/** Descriptors of this process that lead into the folder. */
function opened(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

const part = (index: number, bytes = 100_000) => Buffer.alloc(bytes, index);

async function partsOf(answer: Promise<IncomingMessage>): Promise<number[]> {
  const parts: number[] = [];
  for await (const { body } of readPieces(await answer, limits.messageBytesMax)) parts.push(body[0] ?? -1);
  return parts;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("what is said before the request is read", () => {
  it.each([3, 40])("goes out when it is, in its order: %i pieces, and those that follow", async (count) => {
    const { held, response, answer } = await call();
    for (const i of upTo(count)) await held.write(pieceKinds.chunk, part(i));
    expect([held.isBegun, response.headersSent]).toEqual([true, false]);
    const released = held.release();
    const after = held.write(pieceKinds.chunk, part(count));
    const parts = partsOf(answer);
    await released;
    await after;
    response.end();
    expect(await parts).toEqual(upTo(count + 1));
  });

  it("is in a file without a name once it is large, and in none before and after", async () => {
    const { held, response, answer } = await call();
    await held.write(pieceKinds.chunk, part(0));
    expect(opened()).toEqual([]);
    for (const i of upTo(20)) await held.write(pieceKinds.chunk, part(i));
    expect(opened()).toEqual([expect.stringMatching(/ \(deleted\)$/)]);
    expect(await readdir(folder)).toEqual([]);
    const parts = partsOf(answer);
    await held.release();
    response.end();
    expect(await parts).toHaveLength(21);
    expect(opened()).toEqual([]);
  });

  it("is gone when the client is, and what comes later is not kept", async () => {
    const { held, response, leave } = await call();
    for (const i of upTo(20)) await held.write(pieceKinds.chunk, part(i));
    const closed = new Promise((gone) => response.once("close", gone));
    leave();
    await closed;
    await expect.poll(opened).toEqual([]);
    for (const i of upTo(20)) await held.write(pieceKinds.chunk, part(i));
    await held.release();
    expect(opened()).toEqual([]);
  });

  it("is refused where there is no room for it, with what to do", async () => {
    const { held, response } = await call(join(folder, "absent"));
    const saying = async () => {
      for (const i of upTo(20)) await held.write(pieceKinds.chunk, part(i));
    };
    await expect(saying()).rejects.toMatchObject({
      label: "RESULT_TOO_LARGE",
      message: expect.stringMatching(/temporary folder has no room for the table \(ENOENT\): ask for fewer rows/),
    });
    // Then the refusal is the answer.
    await held.release();
    expect([held.isBegun, response.headersSent, response.destroyed]).toEqual([false, false, false]);
  });

  it("may be nothing: then the answer is somebody else's to begin", async () => {
    const { held, response, answer } = await call();
    await held.release();
    expect([held.isBegun, response.headersSent]).toEqual([false, false]);
    response.statusCode = 422;
    response.end();
    expect((await answer).statusCode).toBe(422);
  });
});
