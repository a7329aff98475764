import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectEtcd } from "#adapters/etcd/knowledge";
import { dynamosCommand } from "#testing/dynamos-command";
import { etcdIsThere, startEtcd } from "#testing/etcd";
import { etcdRights } from "../knowledge/etcd-rights.ts";

const parties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
];
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-knowledge-"));
  file = join(folder, "parties.json");
  await writeFile(file, JSON.stringify(parties));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!etcdIsThere("`dynamos knowledge users` over it"))("dynamos knowledge users", () => {
  it("makes users and roles, the same again, and fewer rights where a party has fewer; passwords are its owner's to read", async () => {
    const etcd = await startEtcd();
    try {
      const passwords = join(folder, "passwords.json");
      const apply = () =>
        dynamosCommand(folder, "knowledge", "users", "--parties", file, "--passwords", passwords, "--apply", etcd.url);
      const first = await apply();
      expect(first).toMatchObject({ status: 0, stdout: "" });
      expect(first.stderr).toContain("2 users; made: exchange, uva; new passwords in");
      expect((await stat(passwords)).mode & 0o777).toBe(0o600);
      const made = JSON.parse(await readFile(passwords, "utf8")) as Record<string, string>;
      expect(first.stderr).not.toContain(made.uva);
      await etcd.control("role", "grant-permission", "uva", "readwrite", "/agreements/UVA");
      expect((await apply()).stderr).toContain("2 users; brought up to date: exchange, uva");
      expect(await etcd.control("role", "get", "uva")).not.toContain("/agreements/UVA");
      await etcd.control("user", "add", "root:root-secret");
      await etcd.control("user", "grant-role", "root", "root");
      await etcd.control("auth", "enable");
      const passwordFile = join(folder, "uva");
      await writeFile(passwordFile, made.uva ?? "");
      const uva = connectEtcd({ endpoints: [etcd.url], namespace: "", user: { name: "uva", passwordFile } });
      expect(await uva.put("/online/UVA/1", "1")).toBeGreaterThan(0);
      await expect(uva.put("/agreements/UVA", "1")).rejects.toMatchObject({ label: "FORBIDDEN" });
      await uva.close();
      await chmod(passwords, 0o644);
      expect(await apply()).toMatchObject({ status: 1, stderr: expect.stringContaining("chmod 600") });
    } finally {
      await etcd.stop();
    }
  }, 60_000);

  it("prints commands for etcdctl that do the same", async () => {
    const etcd = await startEtcd();
    try {
      const { stdout, status } = await dynamosCommand(
        folder,
        "knowledge",
        "users",
        "--parties",
        file,
        "--namespace",
        "trial",
      );
      expect(status).toBe(0);
      for (const user of ["exchange", "uva"]) await writeFile(join(folder, `${user}.password`), `secret-${user}\n`);
      const env = { PATH: process.env.PATH, ETCDCTL_API: "3", ETCDCTL_ENDPOINTS: etcd.url };
      await promisify(execFile)("bash", ["-euc", stdout], { cwd: folder, env, timeout: 30_000 });
      const role = await etcd.control("role", "get", "uva");
      const [read = "", written = ""] = role.split("KV Write:");
      expect(read).toContain("[trial:/, trial:\u007f)");
      for (const prefix of ["trial:/online/UVA/", "trial:/applied/UVA/", "trial:!marks/uva/"])
        expect(written).toContain(`[${prefix},`);
      expect(written).not.toContain("trial:/,");
    } finally {
      await etcd.stop();
    }
  }, 60_000);
});

describe("the rights of parties at etcd", () => {
  it("are refused where two would be one user, or one is no name for etcd", () => {
    const as = (...names: string[]) => names.map((name) => ({ name, roles: ["dataProvider"] }));
    expect(() => etcdRights(as("UVA", "uva"), "")).toThrow("two parties would be one user");
    expect(() => etcdRights(as("root"), "")).toThrow("can't be a user of etcd");
    expect(() => etcdRights(as("a b"), "")).toThrow("can't be a user of etcd");
  });
});
