import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addBrokerCommand } from "./broker.ts";

let folder: string;
let printed: string;
let told: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-broker-"));
  [printed, told] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    told += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
const json = async (name: string) => JSON.parse(await readFile(at(name), "utf8"));
const write = (name: string, value: unknown, mode = 0o600) => writeFile(at(name), JSON.stringify(value), { mode });

async function definitions(...more: string[]): Promise<void> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addBrokerCommand(program);
  await program.parseAsync(["broker", "definitions", ...more], { from: "user" });
}

const uva = { name: "UVA", roles: ["dataProvider"] };
const surf = { name: "SURF", roles: ["computeProvider"] };

describe("dynamos broker definitions", () => {
  it("prints the definitions of the parties in a file", async () => {
    await write("parties.json", [uva, surf]);
    await definitions("--parties", at("parties.json"));
    expect(JSON.parse(printed).users.map(({ name }: { name: string }) => name)).toEqual(["surf", "uva"]);
    expect(JSON.parse(printed).vhosts).toEqual([{ name: "dynamos" }]);
    expect(told).toBe("2 users: surf, uva; without passwords, so none can log in with one yet\n");
  });

  it("takes a folder of documents, one or several a file", async () => {
    await mkdir(at("parties"));
    await write("parties/a.json", uva);
    await write("parties/b.json", [surf]);
    await writeFile(at("parties/README.md"), "not one");
    await definitions("--parties", at("parties"), "--vhost", "other");
    expect(JSON.parse(printed).permissions.map(({ user }: { user: string }) => user)).toEqual(["surf", "uva"]);
    expect(JSON.parse(printed).vhosts).toEqual([{ name: "other" }]);
  });

  it("makes the passwords that are missing, in a file for its owner alone, and keeps those that are there", async () => {
    await write("parties.json", [uva, surf]);
    await write("passwords.json", { uva: "chosen", gone: "kept" });
    const files = ["--parties", at("parties.json"), "--passwords", at("passwords.json"), "--out", at("out.json")];
    await definitions(...files);
    const first = await json("passwords.json");
    expect(first).toEqual({ uva: "chosen", gone: "kept", surf: expect.stringMatching(/^[\w-]{32}$/) });
    for (const name of ["passwords.json", "out.json"]) expect((await stat(at(name))).mode & 0o777).toBe(0o600);
    expect(told).toBe(`2 users: surf, uva; new passwords in ${at("passwords.json")}: surf\n`);
    expect(printed).toBe("");
    expect(JSON.stringify(await json("out.json"))).not.toContain(first.surf);

    await definitions(...files);
    expect(await json("passwords.json")).toEqual(first);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ["there is no such file", async () => {}, "can't read FOLDER/parties.json"],
    ["the file is not JSON", () => writeFile(at("parties.json"), "{"), "FOLDER/parties.json is not JSON"],
    ["the file is empty of parties", () => write("parties.json", []), "FOLDER/parties.json has no party documents"],
    [
      "a document is not one of a party",
      () => write("parties.json", [{ ...uva, roles: ["boss"] }]),
      "FOLDER/parties.json: the party is not valid: /roles/0",
    ],
    [
      "two parties would be one user",
      () => write("parties.json", [uva, { ...uva, name: "uva" }]),
      "the parties UVA and uva would have one broker user",
    ],
    [
      "the name is what all names begin with",
      () => write("parties.json", [{ ...uva, name: "reply" }]),
      "no party may be named reply",
    ],
  ])("says so when %s", async (_, prepare, message) => {
    await prepare();
    await expect(definitions("--parties", at("parties.json"))).rejects.toThrow(message.replace("FOLDER", folder));
  });

  it.each<[string, unknown, number, string]>([
    ["others may read", { uva: "x" }, 0o640, "others than its owner may read it: chmod 600"],
    ["is a list", ["x"], 0o600, "must be a JSON object, user to password"],
    ["has an empty password", { uva: "" }, 0o600, "the password of uva must be a text that is not empty"],
  ])("does not take a password file that %s", async (_, content, mode, message) => {
    await write("parties.json", [uva]);
    await write("passwords.json", content);
    await chmod(at("passwords.json"), mode);
    const files = ["--parties", at("parties.json"), "--passwords", at("passwords.json")];
    await expect(definitions(...files)).rejects.toThrow(message);
    expect(printed).toBe("");
  });
});
