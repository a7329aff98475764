/** A process that writes to a record as fast as it can, and says what is durable, until it is killed. */

import { openRecordKey } from "#adapters/file/record-key-file";
import { openFileRecords } from "#adapters/file/records";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { changeRecord } from "./change-record.ts";

const [folder = "", keyFile = ""] = process.argv.slice(2);
const key = await openRecordKey(keyFile);
const records = await openFileRecords({
  folder,
  party: "UVA",
  instance: "one",
  key,
  clock: systemClock,
  log: createMemoryLog(),
});
const giveUpAt = 100_000;
for (let revision = 1; revision < giveUpAt; revision += 4) {
  await Promise.all([0, 1, 2, 3].map((more) => records.append([changeRecord(revision + more)])));
  process.stdout.write(`${revision + 3}\n`);
}
