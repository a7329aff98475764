/** What every audit record must do. Runs over memory and over files. */
import { afterEach, describe, expect, it } from "vitest";
import type { Records } from "#ports/records";
import { changeRecord } from "./change-record.ts";
import { verified } from "./verified-lines.ts";

export interface OpenedRecords {
  readonly records: Records;
  readonly publicKey: string;
  /** From now on nothing can be written; and later again. */
  breakIt(): Promise<void>;
  mend(): Promise<void>;
  remove(): Promise<void>;
}

export async function linesFrom(records: Records, fromSeq = 1): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of records.read(fromSeq)) lines.push(line);
  return lines;
}

const field = (lines: readonly string[], name: string) => lines.map((line) => JSON.parse(line)[name]);

export function recordsContract(open: () => Promise<OpenedRecords>): void {
  describe("a record", () => {
    let opened: OpenedRecords | undefined;

    async function start(): Promise<OpenedRecords> {
      opened = await open();
      return opened;
    }

    afterEach(async () => {
      await opened?.records.close();
      await opened?.remove();
      opened = undefined;
    });

    it("begins with whose it is and by which key", async () => {
      const { records, publicKey } = await start();
      const [genesis] = (await linesFrom(records)).map((line) => JSON.parse(line));
      expect(genesis).toMatchObject({ kind: "genesis", seq: 1, ...records.place, publicKey: { x: publicKey } });
      expect(records.head()).toEqual({ seq: 1, hash: genesis.hash });
    });

    it("keeps what is appended in order, and can be verified up to its head", async () => {
      const { records, publicKey } = await start();
      await records.append([changeRecord(1), changeRecord(2)]);
      await records.append([]);
      await records.append([changeRecord(3)]);
      const lines = await linesFrom(records);
      expect(field(lines, "seq")).toEqual([1, 2, 3, 4]);
      expect(field(lines.slice(1), "revision")).toEqual([1, 2, 3]);
      const report = verified(lines, publicKey, [{ ...records.place, ...records.head() }]);
      expect(report).toMatchObject({ records: 4, problems: [] });
    });

    it("keeps the records of one append together while many append", async () => {
      const { records, publicKey } = await start();
      const pairs = Array.from({ length: 200 }, (_, index) => [changeRecord(2 * index), changeRecord(2 * index + 1)]);
      await Promise.all(pairs.map((pair) => records.append(pair)));
      const lines = await linesFrom(records);
      expect(field(lines.slice(1), "revision")).toEqual(Array.from({ length: 400 }, (_, index) => index));
      expect(verified(lines, publicKey).problems).toEqual([]);
    });

    it("gives the lines from a number on", async () => {
      const { records } = await start();
      await records.append([changeRecord(1), changeRecord(2), changeRecord(3)]);
      expect(field(await linesFrom(records, 3), "seq")).toEqual([3, 4]);
      expect(await linesFrom(records, 9)).toEqual([]);
    });

    it("says RECORD_UNAVAILABLE while it can't be written, and goes on without a gap when it can", async () => {
      const { records, publicKey, breakIt, mend } = await start();
      await records.append([changeRecord(1)]);
      const head = records.head();
      await breakIt();
      for (const revision of [2, 3]) {
        await expect(records.append([changeRecord(revision)])).rejects.toMatchObject({ label: "RECORD_UNAVAILABLE" });
      }
      expect(records.head()).toEqual(head);
      await mend();
      await records.append([changeRecord(4)]);
      const lines = await linesFrom(records);
      expect(field(lines.slice(1), "revision")).toEqual([1, 4]);
      expect(verified(lines, publicKey).problems).toEqual([]);
    });

    it("takes nothing after it was closed", async () => {
      const { records } = await start();
      await records.close();
      await expect(records.append([changeRecord(1)])).rejects.toMatchObject({ label: "RECORD_UNAVAILABLE" });
    });
  });
}
