/** Users, roles and certificates, against a real etcd. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appliedKey, onlineKey } from "#domain/knowledge-keys";
import type { Knowledge } from "#ports/knowledge";
import { hasOpenssl, makeAuthority } from "#testing/certificates";
import { type Etcd, etcdIsThere, startEtcd } from "#testing/etcd";
import { applyUsers } from "../../../cli/knowledge/apply-users.ts";
import { etcdRights } from "../../../cli/knowledge/etcd-rights.ts";
import { connectEtcd, type EtcdOptions } from "./knowledge.ts";

const parties = [
  { name: "exchange", roles: ["exchange"] },
  { name: "UVA", roles: ["dataProvider"] },
  { name: "VU", roles: ["dataProvider"] },
];
const passwords = new Map(["exchange", "uva", "vu"].map((user) => [user, `secret-of-${user}`]));
const namespace = "system-1";
const open: Knowledge[] = [];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-etcd-security-"));
});
afterAll(async () => {
  for (const one of open) await one.close();
  await rm(folder, { recursive: true, force: true });
});

function connect(options: Omit<EtcdOptions, "namespace">): Knowledge {
  const knowledge = connectEtcd({ namespace, ...options });
  open.push(knowledge);
  return knowledge;
}

describe.skipIf(!etcdIsThere("users and roles over it"))("an etcd with a user for each party", () => {
  let etcd: Etcd;
  const as = async (name: string, password = passwords.get(name) ?? "") => {
    const passwordFile = join(folder, `${name}-${password.length}`);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    return connect({ endpoints: [etcd.url], user: { name, passwordFile } });
  };

  beforeAll(async () => {
    // Tokens are forgotten after a second without use; bcrypt as cheap as it can be.
    etcd = await startEtcd({ more: ["--bcrypt-cost", "4", "--auth-token-ttl", "1"] });
    await applyUsers({ endpoints: [etcd.url] }, etcdRights(parties, namespace), passwords);
    await etcd.control("user", "add", "root:root-secret");
    await etcd.control("user", "grant-role", "root", "root");
    await etcd.control("auth", "enable");
  });
  afterAll(() => etcd.stop());

  it("lets each party read all and write only that it is there and how far it has come", async () => {
    const [exchange, uva] = [await as("exchange"), await as("uva")];
    // From now on would be from whenever it is open.
    const watch = uva.watch("", (await uva.list("/")).revision + 1);
    const revision = await exchange.put("/agreements/VU", "{}", {
      also: [{ key: "~history/agreements/VU/1", value: "{}" }],
    });
    const lease = await uva.grant(5_000);
    await uva.put(onlineKey("UVA", "1"), "1", { lease });
    await uva.put(appliedKey("UVA", "1"), String(revision), { lease });
    const seen: string[] = [];
    for await (const change of watch) {
      if (change.kind === "put") seen.push(change.entry.key);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(["/agreements/VU", "~history/agreements/VU/1", "/online/UVA/1", "/applied/UVA/1"]);
    expect((await uva.list("/")).entries).toHaveLength(3);
    const refused = { label: "FORBIDDEN", message: expect.stringContaining("its etcd user may not do this") };
    for (const key of [
      "/agreements/UVA",
      "/online/VU/1",
      "/applied/VU/1",
      "/jobs/1",
      "/usage/UVA/1",
      "/online/UVAX/1",
      "~history/a/1",
    ]) {
      await expect(uva.put(key, "1"), key).rejects.toMatchObject(refused);
      await expect(uva.put(onlineKey("UVA", "2"), "1", { also: [{ key, value: "1" }] }), key).rejects.toMatchObject(
        refused,
      );
    }
    await expect(uva.delete("/agreements/VU")).rejects.toMatchObject(refused);
    await lease.end();
    expect((await exchange.list("/")).entries.map(({ key }) => key)).toEqual(["/agreements/VU"]);
    expect(await exchange.delete("/agreements/VU")).toBeGreaterThan(revision);
  });

  it("shows nobody the keys of another system in the same etcd", async () => {
    const uva = await as("uva");
    const passwordFile = join(folder, "other");
    await writeFile(passwordFile, passwords.get("uva") ?? "");
    const other = connect({
      endpoints: [etcd.url],
      user: { name: "uva", passwordFile },
      namespace: "system-10",
    } as EtcdOptions);
    await expect(uva.get("/a")).resolves.toBeUndefined();
    await expect(other.get("/a")).rejects.toMatchObject({ label: "FORBIDDEN" });
    const watch = other.watch("/");
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ label: "FORBIDDEN" });
  });

  it("signs in again when its token is forgotten, also for a watch and a lease", async () => {
    const [exchange, uva] = [await as("exchange"), await as("uva")];
    const lease = await uva.grant(2_000);
    await uva.put(onlineKey("UVA", "3"), "1", { lease });
    const changes = uva.watch("/steps/")[Symbol.asyncIterator]();
    await exchange.put("/steps/a", "1");
    expect((await changes.next()).value).toMatchObject({ entry: { key: "/steps/a" } });
    // Longer than a token and a stream of the watch live.
    await new Promise((resume) => setTimeout(resume, 6_000));
    await exchange.put("/steps/b", "1");
    expect((await changes.next()).value).toMatchObject({ entry: { key: "/steps/b" } });
    expect(lease.isHeld(Number.MAX_SAFE_INTEGER)).toBe(true);
    await lease.end();
  }, 30_000);

  it("says so of a user or password that is not taken, without the password", async () => {
    for (const knowledge of [await as("uva", "wrong-secret"), await as("nobody", "other-secret")]) {
      const error = await knowledge.get("/a").catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        label: "KNOWLEDGE_UNAVAILABLE",
        message: expect.stringContaining("refuses the user or the password"),
      });
      expect(JSON.stringify(error) + String((error as Error).stack) + String((error as Error).cause)).not.toMatch(
        /(wrong|other)-secret/,
      );
    }
    await expect(connect({ endpoints: [etcd.url] }).get("/a")).rejects.toMatchObject({
      message: expect.stringContaining("it asks for a user, and none is given"),
    });
  });
});

describe.skipIf(!hasOpenssl() || !etcdIsThere("TLS over it"))("an etcd that asks for certificates", () => {
  it("is reached with the right ones, and named in what is wrong with others", async () => {
    const authority = await makeAuthority(folder, "authority");
    const stranger = await makeAuthority(folder, "stranger");
    const [server, client] = [
      await authority.sign("server", "IP:127.0.0.1"),
      await authority.sign("client", "DNS:uva"),
    ];
    const foreign = await stranger.sign("foreign", "DNS:uva");
    const etcd = await startEtcd({
      scheme: "https",
      more: [
        "--cert-file",
        server.cert,
        "--key-file",
        server.key,
        "--client-cert-auth",
        "--trusted-ca-file",
        authority.cert,
      ],
      controlMore: ["--cacert", authority.cert, "--cert", client.cert, "--key", client.key],
    });
    try {
      const endpoints = [etcd.url];
      const own = { certFile: client.cert, keyFile: client.key };
      const good = connect({ endpoints, tls: { caFile: authority.cert, ...own } });
      const watch = good.watch("/")[Symbol.asyncIterator]();
      await good.put("/a", "1");
      expect((await watch.next()).value).toMatchObject({ entry: { key: "/a", value: "1" } });
      const cases = [
        [{ caFile: stranger.cert, ...own }, "is not signed by the authority that we trust"],
        [{ caFile: authority.cert }, "certificate"],
        [{ caFile: authority.cert, certFile: foreign.cert, keyFile: foreign.key }, "certificate"],
        [{ caFile: authority.key, ...own }, "holds no certificate in PEM format"],
        [{ caFile: join(folder, "none.pem") }, "can't be read (ENOENT)"],
      ] as const;
      const tries = cases.map(async ([tls, message]) => {
        await expect(connect({ endpoints, tls }).get("/a")).rejects.toMatchObject({
          label: "KNOWLEDGE_UNAVAILABLE",
          message: expect.stringContaining(message),
        });
      });
      await Promise.all(tries);
      // With certificates and users at once, as in a cluster: the password says who it is, not the certificate.
      await applyUsers(
        { endpoints, tls: { caFile: authority.cert, ...own } },
        etcdRights(parties, namespace),
        passwords,
      );
      await etcd.control("user", "add", "root:root-secret");
      await etcd.control("user", "grant-role", "root", "root");
      await etcd.control("auth", "enable");
      const nameless = await authority.sign("nameless", "DNS:uva", "/O=UVA");
      const passwordFile = join(folder, "uva-over-tls");
      await writeFile(passwordFile, passwords.get("uva") ?? "");
      const uva = connect({
        endpoints,
        tls: { caFile: authority.cert, certFile: nameless.cert, keyFile: nameless.key },
        user: { name: "uva", passwordFile },
      });
      const named = connect({
        endpoints,
        tls: { caFile: authority.cert, ...own },
        user: { name: "uva", passwordFile },
      });
      await expect(named.get("/a")).rejects.toMatchObject({
        message: expect.stringContaining("that has a common name (CN)"),
      });
      const seen = uva.watch("/")[Symbol.asyncIterator]();
      await uva.put(onlineKey("UVA", "1"), "1", { lease: await uva.grant(5_000) });
      expect((await seen.next()).value).toMatchObject({ entry: { key: "/online/UVA/1" } });
      await expect(uva.put("/agreements/UVA", "1")).rejects.toMatchObject({ label: "FORBIDDEN" });
    } finally {
      for (const one of open.splice(0)) await one.close();
      await etcd.stop();
    }
  }, 60_000);
});
