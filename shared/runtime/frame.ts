/** What crosses between a door and its worker: kind (1 byte), length (4 bytes, big endian), body. */
import type { Writable } from "node:stream";
import { roomIn } from "./room-in.ts";

export const frameKinds = {
  /** Worker to door and back, before it is ready: warms both directions. */
  rehearsal: 1,
  ready: 2,
  call: 3,
  reply: 4,
  /** A Chunk: to the worker of its inputs' tables, back of its outcome's. */
  chunk: 5,
  /** No more chunks for the worker. */
  inputsEnd: 6,
  /** The outcome of a step after which the worker goes on with the chain's next one. */
  handedOn: 7,
} as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export interface Frame {
  readonly kind: number;
  readonly body: Uint8Array;
}

/** Head and body, to be written one after the other: the body is not copied. */
export function frameParts(kind: FrameKind, body: Uint8Array): [Buffer, Uint8Array] {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(body.length, 1);
  return [head, body];
}

/** Resolves when there is room for more, or nobody reads any more: who waits for an answer hears of that otherwise. */
export async function writeFrame(to: Writable, kind: FrameKind, body: Uint8Array): Promise<void> {
  const [head, rest] = frameParts(kind, body);
  to.cork();
  to.write(head);
  const hasRoom = to.write(rest);
  to.uncork();
  if (!hasRoom) await roomIn(to);
}

const headBytes = 5;

/** Puts frames together again from chunks of any size. */
export class FrameReader {
  readonly #bodyBytesMax: number;
  readonly #head = Buffer.alloc(headBytes);
  #headFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** @returns the frames that this chunk completes. @throws RangeError for a frame over the limit */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      at += this.#body === undefined ? this.#takeHead(chunk, at) : this.#takeBody(chunk, at);
      if (this.#body !== undefined && this.#bodyFilled === this.#body.length) {
        frames.push({ kind: this.#head.readUInt8(0), body: this.#body });
        this.#body = undefined;
        this.#headFilled = 0;
      }
    }
    return frames;
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    const taken = Math.min(headBytes - this.#headFilled, chunk.length - at);
    this.#head.set(chunk.subarray(at, at + taken), this.#headFilled);
    this.#headFilled += taken;
    if (this.#headFilled === headBytes) {
      const length = this.#head.readUInt32BE(1);
      if (length > this.#bodyBytesMax) {
        throw new RangeError(`a frame of ${length} bytes is over the limit of ${this.#bodyBytesMax}`);
      }
      this.#body = Buffer.allocUnsafeSlow(length);
      this.#bodyFilled = 0;
    }
    return taken;
  }

  #takeBody(chunk: Uint8Array, at: number): number {
    const body = this.#body as Buffer;
    const taken = Math.min(body.length - this.#bodyFilled, chunk.length - at);
    body.set(chunk.subarray(at, at + taken), this.#bodyFilled);
    this.#bodyFilled += taken;
    return taken;
  }
}
