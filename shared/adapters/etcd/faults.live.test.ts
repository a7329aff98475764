/** What the adapter does when etcd, or the way to it, does not do as it should. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Change, Knowledge, Watch } from "#ports/knowledge";
import { type Etcd, etcdIsThere, startEtcd, startEtcds } from "#testing/etcd";
import { openTcpProxy, type TcpProxy } from "#testing/tcp-proxy";
import { connectEtcd } from "./knowledge.ts";

const patience = { timeout: 20_000 };
const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

let namespaces = 0;
const newNamespace = () => {
  namespaces += 1;
  return `fault-${namespaces}`;
};

function connect(endpoints: readonly string[], namespace: string): Knowledge {
  const knowledge = connectEtcd({ endpoints, namespace });
  cleanup.push(() => knowledge.close());
  return knowledge;
}

async function proxyTo(etcd: Etcd): Promise<TcpProxy & { readonly url: string }> {
  const proxy = await openTcpProxy(etcd.port);
  cleanup.push(() => proxy.close());
  return Object.assign(proxy, { url: `http://127.0.0.1:${proxy.port}` });
}

/** What a watch brings, as it comes. */
function collect(watch: Watch): { readonly seen: Change[]; readonly failed: () => unknown } {
  const seen: Change[] = [];
  let error: unknown;
  void (async () => {
    try {
      for await (const change of watch) seen.push(change);
    } catch (reason) {
      error = reason;
    }
  })();
  return { seen, failed: () => error };
}

const short = (change: Change) =>
  change.kind === "put" ? `put ${change.entry.key}=${change.entry.value}` : `delete ${change.key}`;
const revisionOf = (change: Change) => (change.kind === "put" ? change.entry.revision : change.revision);

describe.skipIf(!etcdIsThere("what happens when it fails"))("over one etcd that is out of reach for a while", () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());

  it("misses and repeats no change while its connection is cut", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const proxy = await proxyTo(etcd);
    const { seen } = collect(connect([proxy.url], namespace).watch("/w/"));
    await expect
      .poll(async () => {
        await direct.put("/w/a", "0");
        return seen.length;
      }, patience)
      .toBeGreaterThan(0);
    await direct.put("/w/a", "1");
    proxy.cut();
    await direct.put("/w/b", "2", { also: [{ key: "/w/c", value: "2" }] });
    await direct.delete("/w/a");
    proxy.heal();
    const wanted = ["put /w/a=1", "put /w/b=2", "put /w/c=2", "delete /w/a"];
    await expect.poll(() => seen.map(short).filter((one) => one !== "put /w/a=0"), patience).toEqual(wanted);
  }, 60_000);

  it("notices a connection whose other side is gone without a word, and goes on over another", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const proxy = await proxyTo(etcd);
    const { seen } = collect(connect([proxy.url], namespace).watch("/w/"));
    await expect
      .poll(async () => {
        await direct.put("/w/a", "0");
        return seen.length;
      }, patience)
      .toBeGreaterThan(0);
    proxy.abandon();
    await direct.put("/w/b", "1");
    await expect.poll(() => seen.map(short).at(-1), patience).toBe("put /w/b=1");
  }, 60_000);

  it("brings the differences, deletions included and in order, where the changes were forgotten meanwhile", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const proxy = await proxyTo(etcd);
    for (const name of ["kept", "changed", "gone"]) await direct.put(`/w/${name}`, "0");
    const { revision } = await direct.list("/w/");
    const watch = connect([proxy.url], namespace).watch("/w/", revision + 1);
    const { seen, failed } = collect(watch);
    const last = await direct.put("/w/seen", "0");
    await expect.poll(() => seen.map(short), patience).toEqual(["put /w/seen=0"]);
    proxy.cut();
    await direct.delete("/w/gone");
    await direct.put("/w/new", "1");
    await direct.put("/w/changed", "1");
    await direct.put("/w/changed", "2");
    await direct.put("/w/passing", "1");
    const end = (await direct.delete("/w/passing")) ?? 0;
    await etcd.control("compact", String(end));
    proxy.heal();
    const wanted = ["put /w/seen=0", "delete /w/gone", "put /w/new=1", "put /w/changed=2"];
    await expect.poll(() => seen.map(short), patience).toEqual(wanted);
    const revisions = seen.map(revisionOf);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(revisions[1]).toBe(last + 1);
    await direct.put("/w/after", "1");
    await expect.poll(() => seen.map(short).at(-1), patience).toBe("put /w/after=1");
    expect(failed()).toBeUndefined();
  }, 60_000);

  it("says of changes that were forgotten before a watch began that they must be listed again", async () => {
    const knowledge = connect([etcd.url], newNamespace());
    const revision = await knowledge.put("/a", "1");
    const last = await knowledge.put("/a", "2");
    await etcd.control("compact", String(last));
    const { failed } = collect(knowledge.watch("/", revision));
    await expect.poll(failed, patience).toMatchObject({
      label: "KNOWLEDGE_UNAVAILABLE",
      message: expect.stringContaining("list again"),
    });
    const first = collect(knowledge.watch("/", 1));
    await expect.poll(first.failed, patience).toMatchObject({ message: expect.stringContaining("list again") });
  }, 60_000);

  it("carries a write out once and tells its revision, when the answer was lost", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const { seen } = collect(direct.watch("/"));
    await direct.put("/begun", "1");
    const proxy = await proxyTo(etcd);
    const knowledge = connect([proxy.url], namespace);
    let latest = await knowledge.put("/a", "0");
    let ofA = latest;
    for (const [i, change] of [
      () => knowledge.put("/a", "1"),
      () => knowledge.put("/a", "2", { ifRevision: ofA }),
      () => knowledge.put("/b", "3", { ifRevision: 0, also: [{ key: "/c", value: "3" }] }),
      () => knowledge.delete("/a", { also: [{ key: "/d", value: "4" }] }),
    ].entries()) {
      await expect.poll(() => revisionOf(seen.at(-1) as Change), patience).toBe(latest);
      const before = seen.length;
      // The request passes, and its answer waits: it is lost with the connection.
      proxy.delay(300);
      const done = change();
      await expect.poll(() => seen.length, patience).toBeGreaterThan(before);
      proxy.cut();
      proxy.delay(0);
      // Another writer in between: a repeated write would undo what it wrote.
      latest = await direct.put("/other", String(i));
      proxy.heal();
      const revision = await done;
      ofA = revision ?? 0;
      expect(seen.slice(before).filter((one) => revisionOf(one) === revision).length).toBeGreaterThan(0);
    }
    const wanted = ["put /a=0", "put /a=1", "put /other=0", "put /a=2", "put /other=1", "put /b=3", "put /c=3"];
    const end = ["put /other=2", "delete /a", "put /d=4", "put /other=3"];
    await expect.poll(() => seen.slice(1).map(short), patience).toEqual([...wanted, ...end]);
  }, 60_000);

  it("counts what it counted once, when four count together over a line that is cut again and again", async () => {
    const namespace = newNamespace();
    const proxy = await proxyTo(etcd);
    const writers = [1, 2, 3, 4].map(() => connect([proxy.url], namespace));
    const cutting = setInterval(() => {
      proxy.cut();
      proxy.heal();
    }, 150);
    cleanup.push(async () => clearInterval(cutting));
    let said = 0;
    const count = async (knowledge: Knowledge) => {
      for (let left = 15; left > 0; ) {
        const entry = await knowledge.get("/n");
        const next = String(Number(entry?.value ?? 0) + 1);
        const done = await knowledge.put("/n", next, { ifRevision: entry?.revision ?? 0 }).then(
          () => 1,
          (error: { label?: string }) => {
            if (error.label === "REVISION_CONFLICT") return 0;
            throw error;
          },
        );
        said += done;
        left -= done;
      }
    };
    await Promise.all(writers.map(count));
    expect(await connect([etcd.url], namespace).get("/n")).toMatchObject({ value: String(said) });
    expect(said).toBe(60);
  }, 60_000);

  it("holds a lease for certain only while it was renewed in time, and after a loss once its keys are known to be there", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const proxy = await proxyTo(etcd);
    const lease = await connect([proxy.url], namespace).grant(1_000);
    const holder = connect([proxy.url], namespace);
    const own = await holder.grant(1_000);
    const before = await holder.put("/online/UVA", "1", { lease: own });
    expect(own.isHeld(before)).toBe(true);
    proxy.cut();
    await expect.poll(() => own.isHeld(before), patience).toBe(false);
    await expect.poll(() => direct.get("/online/UVA"), patience).toBeUndefined();
    expect(lease.isHeld(0)).toBe(false);
    const meanwhile = await direct.put("/meanwhile", "1");
    proxy.heal();
    await expect.poll(() => own.isHeld(Number.MAX_SAFE_INTEGER), patience).toBe(true);
    const restored = await direct.get("/online/UVA");
    expect(restored).toMatchObject({ value: "1" });
    expect(restored?.revision).toBeGreaterThan(meanwhile);
    expect(own.isHeld(meanwhile)).toBe(false);
    expect(own.isHeld(restored?.revision ?? 0)).toBe(true);
    await own.end();
    expect(own.isHeld(Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(await direct.get("/online/UVA")).toBeUndefined();
  }, 60_000);

  it("puts a key under a lease that etcd has lost, which is then granted anew", async () => {
    const knowledge = connect([etcd.url], newNamespace());
    const lease = await knowledge.grant(60_000);
    await knowledge.put("/a", "1", { lease });
    for (const one of (await etcd.control("lease", "list")).trim().split("\n").slice(1))
      await etcd.control("lease", "revoke", one);
    expect(await knowledge.get("/a")).toBeUndefined();
    await knowledge.put("/b", "2", { lease });
    expect((await knowledge.list("/")).entries.map(({ key }) => key)).toEqual(["/a", "/b"]);
    await lease.end();
    expect((await knowledge.list("/")).entries).toEqual([]);
  }, 60_000);

  it("ends a lease whose holder went away", async () => {
    const namespace = newNamespace();
    const direct = connect([etcd.url], namespace);
    const holder = connectEtcd({ endpoints: [etcd.url], namespace });
    await holder.put("/online/UVA", "1", { lease: await holder.grant(1_000) });
    await holder.close();
    await expect.poll(() => direct.get("/online/UVA"), patience).toBeUndefined();
  }, 60_000);

  it("gives up in time where nobody answers, and says who does not", async () => {
    const proxy = await proxyTo(etcd);
    const knowledge = connect([proxy.url], newNamespace());
    proxy.silence();
    const silent = knowledge.put("/a", "1");
    const nobody = connect(["http://127.0.0.1:1"], newNamespace()).get("/a");
    await expect(nobody).rejects.toMatchObject({
      label: "KNOWLEDGE_UNAVAILABLE",
      message: "the knowledge base at 127.0.0.1:1 does not answer (ECONNREFUSED)",
    });
    await expect(silent).rejects.toMatchObject({ label: "KNOWLEDGE_UNAVAILABLE" });
  }, 60_000);

  it("says of a change that is too large that it is", async () => {
    const knowledge = connect([etcd.url], newNamespace());
    await expect(knowledge.put("/a", "x".repeat(2_000_000))).rejects.toMatchObject({ label: "BODY_TOO_LARGE" });
    const also = Array.from({ length: 200 }, (_, i) => ({ key: `/${i}`, value: "1" }));
    await expect(knowledge.put("/a", "1", { also })).rejects.toMatchObject({ label: "BODY_TOO_LARGE" });
    expect((await knowledge.list("/")).entries).toEqual([]);
  });

  it("goes over to the endpoint that answers", async () => {
    const namespace = newNamespace();
    const proxy = await proxyTo(etcd);
    const knowledge = connect(["http://127.0.0.1:1", proxy.url, etcd.url], namespace);
    await knowledge.put("/a", "1");
    const { seen } = collect(knowledge.watch("/"));
    await knowledge.put("/a", "2");
    proxy.silence();
    await knowledge.put("/a", "3");
    await expect.poll(() => seen.map(short), patience).toEqual(["put /a=2", "put /a=3"]);
  }, 60_000);
});

/** Writers that put numbers as fast as they may, and watchers that see every one of them once and in order. */
async function underLoad(endpoints: readonly string[], disturb: () => Promise<void>): Promise<void> {
  const namespace = newNamespace();
  const writesMin = 60;
  const names = ["a", "b", "c"];
  /** By writer: the number that it put last. */
  const lastOf = new Map<string, number>();
  let isOver = false;
  const watched = [1, 2, 3].map(() => collect(connect(endpoints, namespace).watch("/n/")));
  await connect(endpoints, namespace).get("/n/");
  const begun = connect(endpoints, namespace);
  await expect
    .poll(async () => {
      await begun.put("/n/begin", "1");
      return watched.every(({ seen }) => seen.length > 0);
    }, patience)
    .toBe(true);
  const write = async (name: string) => {
    const knowledge = connect(endpoints, namespace);
    // To the end of the disturbance, so that it comes in between, and some more.
    for (let i = 1, after = 0; after < writesMin; ) {
      try {
        await knowledge.put(`/n/${name}`, String(i));
        lastOf.set(name, i);
        i += 1;
        after += isOver ? 1 : 0;
      } catch (error) {
        // Not known whether: the same number again.
        expect(error).toMatchObject({ label: "KNOWLEDGE_UNAVAILABLE" });
      }
    }
  };
  const over = disturb().finally(() => {
    isOver = true;
  });
  await Promise.all([...names.map(write), over]);
  for (const { seen, failed } of watched) {
    const ofWriters = () => seen.filter((one) => !short(one).startsWith("put /n/begin"));
    for (const name of names) {
      const numbers = () =>
        ofWriters().flatMap((one) =>
          one.kind === "put" && one.entry.key === `/n/${name}` ? [Number(one.entry.value)] : [],
        );
      const last = lastOf.get(name) ?? 0;
      await expect.poll(() => numbers().at(-1), patience).toBe(last);
      // Each once; one whose answer was never had may be there twice, one after the other.
      expect([...new Set(numbers())]).toEqual(Array.from({ length: last }, (_, i) => i + 1));
      expect(numbers()).toEqual([...numbers()].sort((a, b) => a - b));
    }
    const revisions = ofWriters().map(revisionOf);
    expect(new Set(revisions).size).toBe(revisions.length);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(failed()).toBeUndefined();
  }
  // All of them saw the same.
  const [first, ...others] = watched.map(({ seen }) => seen.filter((one) => !short(one).startsWith("put /n/begin")));
  for (const one of others) expect(one).toEqual(first);
}

describe.skipIf(!etcdIsThere("what happens when a member dies"))("over an etcd that dies", () => {
  it("loses and reorders no change when the only member is killed and comes back", async () => {
    const etcd = await startEtcd();
    cleanup.unshift(() => etcd.stop());
    await underLoad([etcd.url], async () => {
      for (let kills = 0; kills < 2; kills++) {
        await new Promise((resume) => setTimeout(resume, 150));
        await etcd.kill();
        await etcd.start();
      }
    });
  }, 90_000);

  it("loses and reorders no change when one member of three is killed after the other", async () => {
    const etcds = await startEtcds(3);
    cleanup.unshift(async () => void (await Promise.all(etcds.map((one) => one.stop()))));
    await underLoad(
      etcds.map(({ url }) => url),
      async () => {
        for (const etcd of etcds.slice(0, 2)) {
          await new Promise((resume) => setTimeout(resume, 150));
          await etcd.kill();
          await new Promise((resume) => setTimeout(resume, 500));
          await etcd.start();
        }
      },
    );
  }, 90_000);
});
