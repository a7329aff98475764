/** Finds where a chain ends, cuts off what a crash left unfinished, and begins one that is not there. */
import {
  beforeFirst,
  type ChainPlace,
  genesisRecord,
  type Head,
  readSealed,
  sealRecord,
  signedText,
} from "#domain/audit/chain";
import { isSignedBy, type RecordKey } from "../system/record-crypto.ts";
import { ChainFile } from "./chain-file.ts";
import { linesOf, segmentPath, segmentsIn } from "./chain-files.ts";

export interface OpenedChain {
  readonly file: ChainFile;
  readonly segment: number;
  readonly head: Head;
  /** Of a line that was not finished. */
  readonly cutBytes: number;
}

/** @throws Error when its last record is not what was written, or not by this key; what the file system says */
export async function openChain(
  folder: string,
  place: ChainPlace,
  key: RecordKey,
  nowMs: number,
): Promise<OpenedChain> {
  const segments = (await segmentsIn(folder)).filter(({ instance }) => instance === place.instance);
  const newest = segments.at(-1);
  if (newest === undefined)
    return begin(await ChainFile.create(segmentPath(folder, place.instance, 1)), place, key, nowMs);
  const { last, end, unfinishedBytes: cutBytes } = await endOf(newest.path);
  // A crash may have left the newest file without a whole line: then the chain ends in the one before it.
  const before = segments.at(-2);
  const line = last ?? (before && (await endOf(before.path)).last);
  if (line === undefined)
    return {
      ...(await begin(await ChainFile.reopen(newest.path, 0), place, key, nowMs)),
      segment: newest.number,
      cutBytes,
    };
  const head = headOf(line, place, key);
  return { file: await ChainFile.reopen(newest.path, end), segment: newest.number, head, cutBytes };
}

async function begin(file: ChainFile, place: ChainPlace, key: RecordKey, nowMs: number): Promise<OpenedChain> {
  try {
    const { line, head } = sealRecord(genesisRecord(nowMs, key), beforeFirst, place, key);
    await file.append(Buffer.from(`${line}\n`));
    return { file, segment: 1, head, cutBytes: 0 };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function endOf(path: string): Promise<{ last: string | undefined; end: number; unfinishedBytes: number }> {
  let last: string | undefined;
  let end = 0;
  let unfinishedBytes = 0;
  for await (const { text, isUnfinished, offset, bytes } of linesOf(path)) {
    if (isUnfinished) {
      unfinishedBytes = bytes;
    } else {
      last = text;
      end = offset + bytes + 1;
    }
  }
  return { last, end, unfinishedBytes };
}

function headOf(line: string, { party, instance }: ChainPlace, key: RecordKey): Head {
  const record = readSealed(line, key.digest);
  if (record === undefined || record.party !== party || record.instance !== instance) {
    throw new Error("its last record is not what was written: verify it, and start under another instance");
  }
  if (!isSignedBy(key.publicKey, signedText(record.hash), record.signature)) {
    throw new Error(
      "its last record is not signed by this key: give the key that it was begun with, or another instance",
    );
  }
  return { seq: record.seq, hash: record.hash };
}
