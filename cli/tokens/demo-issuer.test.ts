import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTokens } from "#testing/tokens";
import { bearerToken } from "./bearer-token.ts";
import { findDemoIssuer, openDemoIssuer } from "./demo-issuer.ts";
import { stateFolder } from "./state-folder.ts";

let parent: string;
let folder: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "demo-issuer-"));
  folder = join(parent, "state");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("the demo's key", () => {
  it("is made once, for its user alone, and its public half has nothing of the private one", async () => {
    const { jwksFile } = await openDemoIssuer(folder);
    const made = await readFile(join(folder, "demo-key.json"), "utf8");
    expect([await modeOf(folder), await modeOf(join(folder, "demo-key.json"))]).toEqual(["700", "600"]);
    const [key, ...more] = JSON.parse(await readFile(jwksFile, "utf8")).keys;
    expect(more).toEqual([]);
    expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
    await openDemoIssuer(folder);
    expect(await readFile(join(folder, "demo-key.json"), "utf8")).toBe(made);
  });

  it("is one, whole, when ten commands come to it at once", async () => {
    const issuers = await Promise.all(Array.from({ length: 10 }, () => openDemoIssuer(folder)));
    const signed = await Promise.all(issuers.map(({ sign }) => sign({ user: "ada", roles: [] }, 60)));
    const kids = signed.map((token) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid);
    expect(new Set(kids).size).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(["demo-key.json", "demo-keys.json"]);
  });

  it("is not used when others may read it", async () => {
    await openDemoIssuer(folder);
    await chmod(join(folder, "demo-key.json"), 0o640);
    await expect(openDemoIssuer(folder)).rejects.toThrow("others may read the key");
    await expect(findDemoIssuer(folder)).rejects.toThrow("others may read the key");
  });

  it("that is broken is named with its remedy", async () => {
    await openDemoIssuer(folder);
    await writeFile(join(folder, "demo-key.json"), "{");
    await expect(openDemoIssuer(folder)).rejects.toThrow("holds no key: remove it, and a new one is made");
  });

  it("signs what the orchestrator of its system takes, and no other's does", async () => {
    const [ours, others] = await Promise.all([openTokens(), openTokens()]);
    try {
      const token = await ours.tokenOf({ user: "ada", id: "7", roles: ["steward"], party: "UVA" });
      expect(await ours.verify(token)).toEqual({
        subject: "7",
        user: { id: "7", name: "ada" },
        roles: ["steward"],
        party: "UVA",
      });
      await expect(others.verify(token)).rejects.toThrow("the token's key (kid) is none of the issuer's");
    } finally {
      await Promise.all([ours.remove(), others.remove()]);
    }
  });
});

describe("the token that a command sends", () => {
  it("is the one given, then the environment's, then the demo's where its key is", async () => {
    const environment = { DYNAMOS_HOME: folder };
    expect(await bearerToken("given", "ada", { ...environment, DYNAMOS_TOKEN: "set" })).toBe("given");
    expect(await bearerToken(undefined, "ada", { ...environment, DYNAMOS_TOKEN: "set" })).toBe("set");
    await expect(bearerToken(undefined, "ada", environment)).rejects.toThrow(
      "there is no token: give one with --token",
    );
    expect(await readdir(parent)).toEqual([]);
    await openDemoIssuer(folder);
    const token = await bearerToken(undefined, "ada", { ...environment, DYNAMOS_TOKEN: "" });
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ sub: "ada", email: "ada", roles: ["researcher"] });
  });

  it("comes from the home folder unless DYNAMOS_HOME says another", () => {
    expect(stateFolder({ DYNAMOS_HOME: "/x" })).toBe("/x");
    expect(stateFolder({})).toMatch(/\/\.dynamos$/);
  });
});
