/**
 * The pieces of an answer, which goes out when its request has been read to the end and not before. HTTP/1.1 through
 * OpenFaaS' gateway and of-watchdog is half duplex: a server of Go throws away what is left of a request as soon as
 * its answer begins (net/http, ResponseWriter: "it may not be possible to read from the Request.Body after writing").
 * What a step says earlier is held, the first of it in memory and the rest in a file that has no name.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorCode } from "#contracts";
import { pieceParts, piecesType } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { roomIn } from "./room-in.ts";

export interface HeldAnswer {
  /** Something has been said. */
  readonly isBegun: boolean;
  /** Resolves when there is room for the next one. @throws DynamosError RESULT_TOO_LARGE: it can't be held */
  write(kind: number, body: Uint8Array): Promise<void>;
  /** The request is read, or not needed any more. Resolves when what was held is on its way; idempotent. */
  release(): Promise<void>;
}

/** @param folder where the file is made, and unlinked at once */
export function holdAnswer(response: ServerResponse, folder = tmpdir()): HeldAnswer {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let file: Promise<FileHandle> | undefined;
  let fileBytes = 0;
  let isReleased = false;
  let isBegun = false;
  /** One after the other, in the order in which they were asked for. */
  let last: Promise<void> = Promise.resolve();
  response.once("close", () => void inTurn(closeFile));

  function inTurn(act: () => Promise<void>): Promise<void> {
    const turn = last.then(act);
    last = turn.catch(() => {});
    return turn;
  }

  async function hold(parts: readonly Uint8Array[]): Promise<void> {
    if (response.destroyed) return;
    held.push(...parts);
    heldBytes += bytesOf(parts);
    if (heldBytes <= limits.answerHeldBytesMax) return;
    const [full, size] = [held, heldBytes];
    held = [];
    heldBytes = 0;
    try {
      fileBytes += size;
      if (fileBytes > limits.transferBytesMax) throw tooLarge();
      file ??= openNameless(folder);
      await (await file).appendFile(Buffer.concat(full, size));
    } catch (cause) {
      // Why it failed is the whole answer then.
      await closeFile();
      fileBytes = 0;
      isBegun = false;
      throw cause instanceof DynamosError ? cause : tooLarge(cause);
    }
  }

  async function send(bytes: Uint8Array): Promise<void> {
    // When the client is gone too: the invocation's signal ends the call then.
    if (!response.write(bytes)) await roomIn(response);
  }

  async function sendHeld(): Promise<void> {
    const opened = await file;
    for (let at = 0; opened !== undefined && at < fileBytes && !response.destroyed; ) {
      const { bytesRead, buffer } = await opened.read(Buffer.allocUnsafe(readBytes), 0, readBytes, at);
      if (bytesRead === 0) throw new DynamosError(ErrorCode.INTERNAL, "what was held of an answer is gone");
      at += bytesRead;
      await send(buffer.subarray(0, bytesRead));
    }
    for (const bytes of held) await send(bytes);
    held = [];
    await closeFile();
  }

  async function closeFile(): Promise<void> {
    const opened = await file?.catch(() => undefined);
    file = undefined;
    await opened?.close();
  }

  return {
    get isBegun() {
      return isBegun;
    },
    write: (kind, body) =>
      inTurn(async () => {
        isBegun = true;
        const parts = pieceParts(kind, body);
        if (!isReleased) return hold(parts);
        begin(response);
        for (const part of parts) await send(part);
      }),
    release: () =>
      inTurn(async () => {
        if (isReleased) return;
        isReleased = true;
        if (!isBegun) return;
        begin(response);
        try {
          await sendHeld();
        } catch (error) {
          // Nothing may follow what is not whole.
          response.destroy();
          throw error;
        }
      }),
  };
}

const readBytes = 256 * 1_024;

function begin(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(200, { "content-type": piecesType });
}

/** It is gone with its descriptor, whoever is killed. */
async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `dynamos-answer-${randomBytes(12).toString("hex")}`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

function tooLarge(cause?: unknown): DynamosError {
  const why = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
  const message = `the function's temporary folder has no room for the table${why}: ask for fewer rows or columns, or give the folder more`;
  return new DynamosError(ErrorCode.RESULT_TOO_LARGE, message, { cause });
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
