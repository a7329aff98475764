import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { makeRecordKey } from "#adapters/system/record-crypto";
import type { QueryRecord } from "#domain/audit/record";
import { openPartyRecords, publicKeyName } from "../system/party-records.ts";
import { addAuditCommand } from "./audit.ts";

let folder: string;
let records: string;
let uvaKey: string;

/** In this process: one of its own for each call takes seconds on a busy machine. */
async function dynamos(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  const program = new Command("dynamos").exitOverride();
  addAuditCommand(program);
  const before = process.exitCode;
  try {
    process.exitCode = undefined;
    await program.parseAsync(["audit", ...args], { from: "user" });
    return { status: Number(process.exitCode ?? 0), stdout, stderr: "" };
  } catch (error) {
    return { status: 1, stdout, stderr: `error ${(error as Error).message}\n` };
  } finally {
    process.exitCode = before;
    write.mockRestore();
  }
}

function about(queryId: string, atMs: number) {
  return {
    atMs,
    queryId,
    attempt: 1,
    user: { id: "u", name: "researcher@example.org" },
    sqlSha256: "ab",
    agreements: [{ provider: "UVA", revision: 7 }],
    code: { sidecar: "5".repeat(64), function: "f".repeat(64) },
  };
}

function decision(queryId: string, atMs: number): QueryRecord {
  const rules = [{ code: "DENIED", clause: 'relations["researcher@example.org"].purposes' }];
  return { ...about(queryId, atMs), kind: "decision", provider: "UVA", allowed: false, rules };
}

function release(queryId: string, atMs: number): QueryRecord {
  const contents = [{ what: "table" as const, rows: 3, bytes: 9, sha256: "c0ffee00c0ffee00" }];
  return { ...about(queryId, atMs), kind: "release", to: "surf", what: "part", chain: "UVA", contents };
}

async function write(party: string, instance: string, batch: readonly QueryRecord[]): Promise<void> {
  const opened = await openPartyRecords({ folder: records, party, instance, log: createMemoryLog() });
  await opened.append(batch);
  await opened.close();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-audit-"));
  // Where the command looks by itself.
  vi.stubEnv("DYNAMOS_HOME", folder);
  records = join(folder, "records");
  uvaKey = join(records, "UVA", publicKeyName);
  await write("UVA", "one", [decision("q1", 1_000), release("q2", 2_000)]);
  await write("UVA", "two", [release("q1", 3_000)]);
  await write("VU", "one", [release("q1", 4_000), release("q3", 5_000)]);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

it("a party's private key is for its owner alone, and its public key lies beside the record", async () => {
  expect((await stat(join(records, "UVA/record-key.pem"))).mode & 0o077).toBe(0);
  expect(JSON.parse(await readFile(uvaKey, "utf8"))).toMatchObject({ kty: "OKP", crv: "Ed25519", kid: "UVA" });
});

it("dynamos audit export, head and verify fit together, and an end that is cut off is named", async () => {
  const exported = await dynamos("export", "--party", "UVA");
  expect(exported.stdout.trim().split("\n")).toHaveLength(5);
  const file = join(folder, "uva.jsonl");
  const heads = join(folder, "heads.jsonl");
  await writeFile(file, exported.stdout);
  await writeFile(heads, (await dynamos("head", "--party", "UVA")).stdout);
  const verified = await dynamos("verify", file, "--key", uvaKey, "--head", heads);
  expect(verified).toMatchObject({ status: 0, stderr: "" });
  expect(verified.stdout).toContain("verified: 5 records of 2 chains");
  await writeFile(file, exported.stdout.trim().split("\n").slice(0, -1).join("\n"));
  const cut = await dynamos("verify", file, "--key", uvaKey, "--head", heads);
  expect(cut.status).toBe(1);
  expect(cut.stdout).toContain("truncated: record 2 of UVA/two is missing at the end");
  expect(cut.stdout).toContain("NOT VERIFIED: 1 problem");
});

it("dynamos audit verify names what was altered, removed, inserted or moved, and in which line", async () => {
  const path = join(records, "UVA/one.000001.jsonl");
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  const [genesis = "", first = "", second = ""] = lines;
  const file = join(folder, "edited.jsonl");
  for (const [edited, problem] of [
    [[genesis, first.replace('"allowed":false', '"allowed":true'), second], "altered: record 2 of UVA/one"],
    [[genesis, second], "removed: record 2 of UVA/one"],
    [[genesis, first, second, first], "inserted: record 2 of UVA/one"],
  ] as const) {
    await writeFile(file, `${edited.join("\n")}\n`);
    const { status, stdout } = await dynamos("verify", file, "--key", uvaKey);
    expect(status).toBe(1);
    expect(stdout).toContain(problem);
    expect(stdout).toMatch(/edited\.jsonl, line \d/);
  }
  expect((await dynamos("verify", path, "--key", uvaKey)).status).toBe(0);
  const other = await dynamos("verify", path, "--key", join(records, "VU", publicKeyName));
  expect(other.status).toBe(1);
  expect(other.stdout).toContain("foreign: record 1 of UVA/one");
});

it("dynamos audit export picks a query or a time, and what it picks can be verified", async () => {
  const { stdout } = await dynamos("export", "--query", "q1");
  const kinds = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).kind);
  expect(kinds).toEqual(["genesis", "decision", "genesis", "release", "genesis", "release"]);
  const file = join(folder, "q1.jsonl");
  await writeFile(file, stdout);
  expect(await dynamos("verify", file, "--selection")).toMatchObject({ status: 0 });
  await writeFile(file, (await dynamos("export", "--query", "q2")).stdout);
  expect((await dynamos("verify", file)).stdout).toContain("removed: record 2 of UVA/one");
  const since = await dynamos("export", "--since", new Date(4_500).toISOString());
  expect(since.stdout).toContain('"queryId":"q3"');
  expect(since.stdout).not.toContain('"queryId":"q1"');
});

it("dynamos audit show tells who decided what by which rule and revision, and what left", async () => {
  const { status, stdout } = await dynamos("show", "--query", "q1");
  expect(status).toBe(0);
  const rows = stdout.trim().split("\n").slice(2);
  expect(rows).toHaveLength(3);
  expect(rows[0]).toMatch(
    /1970-01-01T00:00:01.*UVA.*refused.*DENIED relations\["researcher@example.org"\]\.purposes.*UVA@7/,
  );
  expect(rows[1]).toMatch(/UVA.*release part.*to surf.*3 rows c0ffee00/);
  expect(await dynamos("show", "--query", "q9")).toMatchObject({
    status: 1,
    stderr: "error there is nothing on record about query q9\n",
  });
});

it("says what is wrong with what it was given", async () => {
  const privateKey = join(records, "UVA/record-key.pem");
  const noKey = join(folder, "no-key.pem");
  await writeFile(noKey, "nothing");
  const cases: [string[], RegExp][] = [
    [["export", "--records", join(folder, "none")], /there is no folder .*none/],
    [["export", "--party", "RUG"], /there is no record of RUG/],
    [["export", "--since", "soon"], /--since soon: must be a time/],
    [["verify", uvaKey, "--key", privateKey], /that is the private key/],
    [["verify", uvaKey, "--key", noKey], /must be an Ed25519 public key/],
    [["verify", uvaKey, "--head", uvaKey], /line 1 is no head/],
  ];
  for (const [args, sentence] of cases) {
    const { status, stdout, stderr } = await dynamos(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(sentence);
  }
});

it("a key that others can read is not used", async () => {
  const keyFile = join(folder, "open.pem");
  await writeFile(keyFile, makeRecordKey().privatePem, { mode: 0o644 });
  const options = { folder: records, keyFile, party: "SURF", instance: "one", log: createMemoryLog() };
  await expect(openPartyRecords(options)).rejects.toThrow(/others than its owner may read it/);
});
