import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readApprovalKeys, readSigningKey } from "#approval/approval-keys";
import { addApprovalKeysCommand } from "./approval-keys.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-approval-keys-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<void> {
  const program = new Command().exitOverride();
  addApprovalKeysCommand(program);
  await program.parseAsync(["approval-keys", ...args], { from: "user" });
}

const at = (...parts: string[]) => join(folder, ...parts);

describe("approval keys", () => {
  it("are a pair, whose private half is its owner's alone", async () => {
    await run(at("keys"));
    const { kid } = await readSigningKey(at("keys", "approval-key"));
    expect([...(await readApprovalKeys(at("keys", "approval-keys"))).keys()]).toEqual([kid]);
    expect((await stat(at("keys", "approval-key"))).mode & 0o777).toBe(0o600);
    expect(await readFile(at("keys", "approval-keys"), "utf8")).not.toContain('"d"');
  });

  it("of the next pair stand beside those of now", async () => {
    await run(at("now"));
    await run(at("next"), "--beside", at("now", "approval-keys"));
    const [now, next] = [
      await readSigningKey(at("now", "approval-key")),
      await readSigningKey(at("next", "approval-key")),
    ];
    expect([...(await readApprovalKeys(at("next", "approval-keys"))).keys()]).toEqual([next.kid, now.kid]);
  });

  it("are never written over", async () => {
    await run(at("keys"));
    const before = await readFile(at("keys", "approval-key"), "utf8");
    await expect(run(at("keys"))).rejects.toThrow("is there already: name another folder");
    expect(await readFile(at("keys", "approval-key"), "utf8")).toBe(before);
  });

  it.each([
    ["is not there", undefined, "there is no such file"],
    ["is no JSON", "{", "is not JSON"],
    ["has no keys", "{}", "must be a JWKS of 1 to 16 keys"],
    ["is null", "null", "must be a JWKS"],
  ])("beside a file that %s are refused, and nothing is made", async (_, text, message) => {
    if (text !== undefined) await writeFile(at("old"), text);
    await expect(run(at("keys"), "--beside", at("old"))).rejects.toThrow(message);
    await expect(stat(at("keys"))).rejects.toThrow("ENOENT");
  });

  it("beside a private key are refused", async () => {
    await run(at("now"));
    const key = await readFile(at("now", "approval-key"), "utf8");
    await writeFile(at("old"), `{"keys":[${key}]}`);
    await expect(run(at("keys"), "--beside", at("old"))).rejects.toThrow("is a private key");
  });
});
