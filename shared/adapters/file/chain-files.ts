/** Where a chain lies: `<folder>/<instance>.000001.jsonl` and so on, each up to a size. */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { TextDecoder } from "node:util";

const segmentDigits = 6;
const segmentName = /^(.+)\.(\d{6})\.jsonl$/;

export interface Segment {
  readonly instance: string;
  readonly number: number;
  readonly path: string;
}

/** A name that is no path, whatever the instance is called. */
export function fileNameOf(instance: string): string {
  return encodeURIComponent(instance).replace(/^\./, "%2E");
}

export function segmentPath(folder: string, instance: string, number: number): string {
  return join(folder, `${fileNameOf(instance)}.${String(number).padStart(segmentDigits, "0")}.jsonl`);
}

/** In their order, chain after chain. */
export async function segmentsIn(folder: string): Promise<Segment[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => {
      const [, instance = "", number = ""] = segmentName.exec(name) ?? [];
      return instance === ""
        ? []
        : [{ instance: decodeURIComponent(instance), number: Number(number), path: join(folder, name) }];
    })
    .sort((a, b) => (a.instance === b.instance ? a.number - b.number : a.instance < b.instance ? -1 : 1));
}

export interface FileLine {
  readonly text: string;
  /** The file ends in the middle of it. */
  readonly isUnfinished: boolean;
  /** Where it begins, and how long it is without its line feed. */
  readonly offset: number;
  readonly bytes: number;
}

const readBytes = 256 * 1_024;
const lineFeed = 10;

/** A line that is not UTF-8 comes as the text that its bytes are in Latin-1: no record looks like it. */
export async function* linesOf(path: string, toByte = Number.POSITIVE_INFINITY): AsyncGenerator<FileLine> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const handle = await open(path, "r");
  try {
    let rest: Buffer = Buffer.alloc(0);
    let offset = 0;
    for (let position = 0; position < toByte; ) {
      const length = Math.min(readBytes, toByte - position);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      let from = 0;
      for (let to = rest.indexOf(lineFeed); to !== -1; to = rest.indexOf(lineFeed, from)) {
        const text = textOf(rest.subarray(from, to), decoder);
        yield { text, isUnfinished: false, offset: offset + from, bytes: to - from };
        from = to + 1;
      }
      offset += from;
      rest = rest.subarray(from);
    }
    if (rest.length > 0) yield { text: textOf(rest, decoder), isUnfinished: true, offset, bytes: rest.length };
  } finally {
    await handle.close();
  }
}

function textOf(bytes: Uint8Array, decoder: TextDecoder): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}
