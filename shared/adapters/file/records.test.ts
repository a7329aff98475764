import { spawn, spawnSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import { makeRecordKey } from "#adapters/system/record-crypto";
import type { Records } from "#ports/records";
import { changeRecord } from "#testing/change-record";
import { linesFrom, recordsContract } from "#testing/records-contract";
import { verified } from "#testing/verified-lines";
import { segmentsIn } from "./chain-files.ts";
import { openRecordKey } from "./record-key-file.ts";
import { type FileRecordsOptions, openFileRecords } from "./records.ts";

const key = makeRecordKey();
const lock = { deadMs: 200, beatMs: 40 };

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "dynamos-records-"));
}

function optionsIn(folder: string): FileRecordsOptions {
  return { folder, party: "UVA", instance: "one", key, clock: systemClock, log: createMemoryLog(), lock };
}

recordsContract(async () => {
  const root = await temporaryFolder();
  const folder = join(root, "UVA");
  const records = await openFileRecords(optionsIn(folder));
  return {
    records,
    publicKey: key.publicKey,
    // As when a disk is taken away and comes back; a process that is root can't be kept out by a mode.
    breakIt: () => rename(folder, `${folder}.away`),
    mend: () => rename(`${folder}.away`, folder),
    remove: () => rm(root, { recursive: true, force: true }),
  };
});

describe("a record in files", () => {
  const folders: string[] = [];
  const open: Records[] = [];

  async function start(change: Partial<FileRecordsOptions> & { folder: string }): Promise<Records> {
    const records = await openFileRecords({ ...optionsIn(change.folder), ...change });
    open.push(records);
    return records;
  }

  async function newFolder(): Promise<string> {
    const folder = await temporaryFolder();
    folders.push(folder);
    return folder;
  }

  async function onlyFile(folder: string): Promise<string> {
    const [segment] = await segmentsIn(folder);
    if (segment === undefined) throw new RangeError("there is no segment");
    return segment.path;
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((records) => records.close()));
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
  });

  it("is for its owner alone", async () => {
    const folder = join(await newFolder(), "UVA");
    await start({ folder });
    expect((await stat(folder)).mode & 0o077).toBe(0);
    expect((await stat(await onlyFile(folder))).mode & 0o077).toBe(0);
  });

  it("goes on with its chain when its sidecar is started again", async () => {
    const folder = await newFolder();
    const first = await start({ folder });
    await first.append([changeRecord(1)]);
    await first.close();
    const second = await start({ folder });
    await second.append([changeRecord(2)]);
    const lines = await linesFrom(second);
    expect(lines).toHaveLength(3);
    expect(verified(lines, key.publicKey).problems).toEqual([]);
  });

  it("begins a new file when one is full, and reads and verifies over all of them", async () => {
    const folder = await newFolder();
    const records = await start({ folder, segmentBytesMax: 2_000 });
    for (let revision = 1; revision <= 20; revision += 1) await records.append([changeRecord(revision)]);
    await records.close();
    const segments = await segmentsIn(folder);
    expect(segments.length).toBeGreaterThan(4);
    for (const { path } of segments) expect((await stat(path)).size).toBeLessThanOrEqual(2_000);
    const again = await start({ folder, segmentBytesMax: 2_000 });
    await again.append([changeRecord(21)]);
    const lines = await linesFrom(again);
    expect(lines).toHaveLength(22);
    expect(verified(lines, key.publicKey, [{ ...again.place, ...again.head() }]).problems).toEqual([]);
    expect(await linesFrom(again, 20)).toEqual(lines.slice(19));
  });

  it("cuts off a line that a crash left unfinished, and says so in the record and in the log", async () => {
    const folder = await newFolder();
    const first = await start({ folder });
    await first.append([changeRecord(1)]);
    await first.close();
    await appendFile(await onlyFile(folder), '{"after":"12');
    const log = createMemoryLog();
    const second = await start({ folder, log });
    const lines = await linesFrom(second);
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(["genesis", "change", "recovery"]);
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ cutBytes: 12 });
    expect(verified(lines, key.publicKey).problems).toEqual([]);
    expect(log.lines.map(({ message }) => message)).toContain("an unfinished line of the record was cut off");
  });

  it.each([0, 40])("begins again where a crash left %i bytes of the first line", async (bytes) => {
    const folder = await newFolder();
    const first = await start({ folder });
    await first.close();
    await truncate(await onlyFile(folder), bytes);
    const second = await start({ folder });
    expect((await linesFrom(second)).map((line) => JSON.parse(line).kind)).toEqual(
      bytes === 0 ? ["genesis"] : ["genesis", "recovery"],
    );
  });

  it("goes on in the file that a crash left empty", async () => {
    const folder = await newFolder();
    const first = await start({ folder });
    await first.append([changeRecord(1)]);
    await first.close();
    await writeFile((await onlyFile(folder)).replace("000001", "000002"), "");
    const second = await start({ folder });
    await second.append([changeRecord(2)]);
    expect(verified(await linesFrom(second), key.publicKey)).toMatchObject({ records: 3, problems: [] });
  });

  it("does not begin behind a last record that is not what was written, or not by its key", async () => {
    const folder = await newFolder();
    const first = await start({ folder });
    await first.append([changeRecord(7)]);
    await first.close();
    await expect(start({ folder, key: makeRecordKey() })).rejects.toMatchObject({
      label: "RECORD_UNAVAILABLE",
      message: expect.stringMatching(/not signed by this key/),
    });
    const path = await onlyFile(folder);
    await writeFile(path, (await readFile(path, "utf8")).replace('"revision":7', '"revision":8'));
    await expect(start({ folder })).rejects.toMatchObject({
      label: "RECORD_UNAVAILABLE",
      message: expect.stringMatching(/not what was written/),
    });
  });

  it("is written by one at a time", async () => {
    const folder = await newFolder();
    const first = await start({ folder });
    await expect(start({ folder })).rejects.toMatchObject({
      label: "RECORD_UNAVAILABLE",
      message: expect.stringMatching(/another process writes this chain/),
    });
    await start({ folder, instance: "two" });
    await first.append([changeRecord(1)]);
    await first.close();
    await start({ folder });
  });

  it("is not written any more by one that was taken for dead", async () => {
    const folder = await newFolder();
    // It never says that it is there.
    const silent = await start({ folder, lock: { ...lock, beatMs: 600_000 } });
    const next = await start({ folder });
    await expect(silent.append([changeRecord(1)])).rejects.toMatchObject({ label: "RECORD_UNAVAILABLE" });
    await next.append([changeRecord(2)]);
    await silent.close();
    await next.append([changeRecord(3)]);
    expect(verified(await linesFrom(next), key.publicKey)).toMatchObject({ records: 3, problems: [] });
  });

  it("says RECORD_UNAVAILABLE when its folder is gone, is a file, or is a folder where its file should be", async () => {
    const folder = await newFolder();
    const records = await start({ folder: join(folder, "UVA") });
    await rm(join(folder, "UVA"), { recursive: true });
    await expect(records.append([changeRecord(1)])).rejects.toMatchObject({ label: "RECORD_UNAVAILABLE" });
    await writeFile(join(folder, "VU"), "");
    await expect(start({ folder: join(folder, "VU") })).rejects.toMatchObject({
      label: "RECORD_UNAVAILABLE",
      message: "the record of UVA can't be written: EEXIST",
    });
    await mkdir(join(folder, "SURF/one.000001.jsonl"), { recursive: true });
    await expect(start({ folder: join(folder, "SURF") })).rejects.toMatchObject({ label: "RECORD_UNAVAILABLE" });
  });

  it("keeps an instance's name inside its folder, whatever it is", async () => {
    const folder = await newFolder();
    for (const instance of ["../escape", "a/b", ".hidden", "a%2Fb"]) {
      const records = await start({ folder: join(folder, "UVA"), instance });
      await records.append([changeRecord(1)]);
      expect(await linesFrom(records)).toHaveLength(2);
    }
    expect(await readdir(folder)).toEqual(["UVA"]);
    expect((await segmentsIn(join(folder, "UVA"))).map(({ instance }) => instance).sort()).toEqual(
      ["../escape", ".hidden", "a%2Fb", "a/b"].sort(),
    );
  });

  it("loses nothing that was acknowledged when its process is killed", async () => {
    const folder = await newFolder();
    const keyFile = join(folder, "key.pem");
    const writer = join(import.meta.dirname, "../../testing/record-writer.ts");
    const child = spawn(process.execPath, ["--import", "tsx", writer, join(folder, "UVA"), keyFile], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let acknowledged = 0;
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        acknowledged = Number(text.trim().split("\n").at(-1));
        if (acknowledged > 300) child.kill("SIGKILL");
      });
      child.once("exit", () => resolve());
    });
    const childKey = await openRecordKey(keyFile);
    const records = await start({ folder: join(folder, "UVA"), key: childKey });
    const lines = await linesFrom(records);
    expect(verified(lines, childKey.publicKey).problems).toEqual([]);
    const revisions = lines.map((line) => Number(JSON.parse(line).revision ?? 0));
    expect(Math.max(...revisions)).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThan(300);
  });

  it("says RECORD_UNAVAILABLE on a disk that is full, and goes on when there is room", async ({ skip }) => {
    const folder = await newFolder();
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    if (mounted.status !== 0) skip("no tmpfs may be mounted here");
    try {
      const records = await start({ folder: join(folder, "UVA") });
      await writeFile(join(folder, "ballast"), Buffer.alloc(40_000));
      let appended = 0;
      const error = await (async () => {
        for (; appended < 1_000; appended += 1) await records.append([changeRecord(appended)]);
      })().catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        label: "RECORD_UNAVAILABLE",
        message: "the record of UVA can't be written: ENOSPC",
      });
      await rm(join(folder, "ballast"));
      await records.append([changeRecord(9_999)]);
      const lines = await linesFrom(records);
      expect(verified(lines, key.publicKey)).toMatchObject({ records: appended + 2, problems: [] });
      await records.close();
    } finally {
      spawnSync("umount", ["-l", folder]);
    }
  });
});
