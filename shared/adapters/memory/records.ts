/** An audit record in this process, for tests: sealed like the one in files, and gone with the process. */
import { ErrorCode } from "#contracts";
import { beforeFirst, type ChainPlace, genesisRecord, type Head, sealRecord } from "#domain/audit/chain";
import { DynamosError } from "#errors";
import type { Records } from "#ports/records";
import { makeRecordKey, type RecordKey } from "../system/record-crypto.ts";

export interface MemoryRecords extends Records {
  /** The genesis first. */
  readonly lines: readonly string[];
  readonly publicKey: string;
  /** While set, nothing can be written. */
  isBroken: boolean;
}

export function createMemoryRecords(place: ChainPlace, key: RecordKey = makeRecordKey()): MemoryRecords {
  const lines: string[] = [];
  let head: Head = beforeFirst;
  let isClosed = false;

  function seal(record: Parameters<typeof sealRecord>[0]): void {
    const sealed = sealRecord(record, head, place, key);
    lines.push(sealed.line);
    head = sealed.head;
  }

  seal(genesisRecord(0, key));
  const records: MemoryRecords = {
    place,
    lines,
    publicKey: key.publicKey,
    isBroken: false,
    append: async (batch) => {
      // As with a disk, nothing is there at once.
      await Promise.resolve();
      if (isClosed || records.isBroken) {
        const why = isClosed ? "is closed" : "can't be written";
        throw new DynamosError(ErrorCode.RECORD_UNAVAILABLE, `the record of ${place.party} ${why}`);
      }
      for (const record of batch) seal(record);
    },
    read: async function* (fromSeq) {
      yield* lines.slice(Math.max(0, fromSeq - 1));
    },
    head: () => head,
    close: async () => {
      isClosed = true;
    },
  };
  return records;
}
