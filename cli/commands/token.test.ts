import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addTokenCommand } from "./token.ts";

let folder: string;
let written: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
  vi.stubEnv("DYNAMOS_HOME", folder);
  written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function claimsOf(...args: string[]): Promise<Record<string, unknown> & { iat: number; exp: number }> {
  const program = new Command().exitOverride();
  addTokenCommand(program);
  await program.parseAsync(["token", ...args], { from: "user" });
  expect(written).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  return JSON.parse(Buffer.from(written.split(".")[1] ?? "", "base64url").toString());
}

describe("dynamos token", () => {
  it("is one hour's of the demo's researcher", async () => {
    const claims = await claimsOf();
    expect(claims).toMatchObject({
      sub: "researcher@example.org",
      email: "researcher@example.org",
      roles: ["researcher"],
    });
    expect(claims.exp - claims.iat).toBe(3_600);
    expect(claims).not.toHaveProperty("party");
  });

  it("has the name, id, roles, party and time that are asked for", async () => {
    const roles = ["--role", "steward", "--role", "auditor", "--party", "UVA"];
    const claims = await claimsOf("--user", "ada", "--id", "7", ...roles, "--expires", "90s");
    expect(claims).toMatchObject({ sub: "7", email: "ada", roles: ["steward", "auditor"], party: "UVA" });
    expect(claims.exp - claims.iat).toBe(90);
  });

  it.each([
    [["--role", "admin"], "--role admin: must be researcher, steward, operator, auditor"],
    [["--role", "steward"], "--role steward needs --party"],
    [["--party", "UVA"], "--party is for --role steward"],
    [["--expires", "25h"], "--expires 25h: must be from 1s to 24h"],
    [["--expires", "0"], "--expires 0: must be from 1s to 24h"],
    [["--expires", "soon"], "soon is not a duration like 30s or 1m30s"],
  ])("says what is wrong with %j, and prints nothing", async (args, message) => {
    await expect(claimsOf(...args)).rejects.toThrow(message);
    expect(written).toBe("");
  });
});
