/**
 * A party's audit record as JSON lines on a disk. What is appended while the disk is busy goes there together,
 * in one write for all (group commit).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ErrorCode } from "#contracts";
import { type ChainPlace, type Head, sealRecord } from "#domain/audit/chain";
import type { AuditRecord } from "#domain/audit/record";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { Records } from "#ports/records";
import type { RecordKey } from "../system/record-crypto.ts";
import { ChainFile } from "./chain-file.ts";
import { fileNameOf, linesOf, segmentPath, segmentsIn } from "./chain-files.ts";
import { type ChainLock, type ChainLockOptions, lockChain } from "./chain-lock.ts";
import { openChain } from "./open-chain.ts";

export interface FileRecordsOptions extends ChainPlace {
  /** Of the party: its chains lie in there. */
  readonly folder: string;
  readonly key: RecordKey;
  readonly clock: Clock;
  readonly log: Log;
  readonly segmentBytesMax?: number;
  readonly lock?: ChainLockOptions;
}

interface Waiting {
  readonly records: readonly AuditRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** @throws DynamosError RECORD_UNAVAILABLE: it can't be written, another process writes it, or its end is not what was written */
export async function openFileRecords(options: FileRecordsOptions): Promise<Records> {
  const { folder, party, instance, key, clock, log } = options;
  const place = { party, instance };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await lockChain(join(folder, `${fileNameOf(instance)}.lock`), options.lock);
    try {
      const chain = await openChain(folder, place, key, clock.now());
      const records = new FileRecords(options, lock, chain);
      if (chain.cutBytes > 0) {
        const { cutBytes } = chain;
        log.log("warn", "an unfinished line of the record was cut off", { party, instance, cutBytes });
        await records.append([{ kind: "recovery", atMs: clock.now(), cutBytes }]);
      }
      return records;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw unavailable(party, error);
  }
}

class FileRecords implements Records {
  readonly place: ChainPlace;
  private readonly options: FileRecordsOptions;
  private readonly lock: ChainLock;
  private file: ChainFile;
  private segment: number;
  private last: Head;
  private waiting: Waiting[] = [];
  /** Set while groups are written. */
  private writing: Promise<void> | undefined;
  private isBroken = false;
  private isClosed = false;

  constructor(
    options: FileRecordsOptions,
    lock: ChainLock,
    { file, segment, head }: Awaited<ReturnType<typeof openChain>>,
  ) {
    const { party, instance } = options;
    this.place = { party, instance };
    this.options = options;
    this.lock = lock;
    this.file = file;
    this.segment = segment;
    this.last = head;
  }

  head(): Head {
    return this.last;
  }

  async append(records: readonly AuditRecord[]): Promise<void> {
    if (records.length === 0) return;
    if (this.isClosed) throw unavailable(this.place.party, new Error("it is closed"));
    if (this.waiting.length >= limits.recordsWaitingMax)
      throw unavailable(this.place.party, new Error("too many wait for the disk"));
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ records, resolve, reject });
      this.writing ??= this.writeAll();
    });
  }

  async *read(fromSeq: number): AsyncIterable<string> {
    const { number: lastNumber, size } = { number: this.segment, size: this.file.size };
    let seq = 0;
    try {
      for (const { instance, number, path } of await segmentsIn(this.options.folder)) {
        if (instance !== this.place.instance || number > lastNumber) continue;
        for await (const { text, isUnfinished } of linesOf(path, number === lastNumber ? size : undefined)) {
          seq += 1;
          if (seq >= fromSeq && !isUnfinished) yield text;
        }
      }
    } catch (error) {
      throw unavailable(this.place.party, error);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.writing;
    await this.file.close();
    await this.lock.release();
  }

  private async writeAll(): Promise<void> {
    // Who appends in the same turn of the event loop is in the same group.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.writeGroup(this.waiting.splice(0));
    this.writing = undefined;
  }

  private async writeGroup(group: readonly Waiting[]): Promise<void> {
    const fail = (error: unknown) => {
      const known = unavailable(this.place.party, error);
      for (const { reject } of group) reject(known);
    };
    const stopTimer = this.options.clock.after(limits.recordWaitMsMax, () =>
      fail(new Error("the disk does not answer")),
    );
    try {
      await this.write(group);
      for (const { resolve } of group) resolve();
    } catch (error) {
      this.isBroken = true;
      fail(error);
    } finally {
      stopTimer();
    }
  }

  private async write(group: readonly Waiting[]): Promise<void> {
    if (!(await this.lock.isHeld())) throw new Error("another process has taken the chain");
    if (this.isBroken) await this.file.repair();
    this.isBroken = false;
    let head = this.last;
    let text = "";
    for (const { records } of group) {
      for (const record of records) {
        const sealed = sealRecord(record, head, this.place, this.options.key);
        head = sealed.head;
        text += `${sealed.line}\n`;
      }
    }
    const bytes = Buffer.from(text);
    await this.makeRoom(bytes.length);
    await this.file.append(bytes);
    this.last = head;
  }

  private async makeRoom(bytes: number): Promise<void> {
    const { segmentBytesMax = limits.recordSegmentBytesMax, folder, instance } = this.options;
    if (this.file.size === 0 || this.file.size + bytes <= segmentBytesMax) return;
    const next = await ChainFile.create(segmentPath(folder, instance, this.segment + 1));
    await this.file.close();
    this.file = next;
    this.segment += 1;
  }
}

function unavailable(party: string, error: unknown): DynamosError {
  if (error instanceof DynamosError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  // Node's own messages name paths of this machine.
  const why = code ?? message;
  return new DynamosError(ErrorCode.RECORD_UNAVAILABLE, `the record of ${party} can't be written: ${why}`, {
    cause: error,
  });
}
