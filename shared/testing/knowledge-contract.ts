/** What every knowledge base adapter must do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change, Knowledge, Watch } from "#ports/knowledge";

export interface KnowledgeWorld {
  /** Empty at the start of each test. */
  connect(): Promise<Knowledge>;
  close(): Promise<void>;
}

/** The next changes of a watch, which is then closed. */
async function take(watch: Watch, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  for await (const change of watch) {
    taken.push(change);
    if (taken.length === count) break;
  }
  watch.close();
  return taken;
}

const short = (change: Change) =>
  change.kind === "put" ? `put ${change.entry.key}=${change.entry.value}` : `delete ${change.key}`;

export function knowledgeContract(openWorld: () => Promise<KnowledgeWorld>): void {
  let world: KnowledgeWorld;
  let knowledge: Knowledge;

  beforeEach(async () => {
    world = await openWorld();
    knowledge = await world.connect();
  });

  afterEach(() => world.close());

  describe("documents", () => {
    it("come back as they were put, with the revision that the put returned", async () => {
      const revision = await knowledge.put("/a/ü", '{"x":"é\\u0000"}');
      expect(await knowledge.get("/a/ü")).toEqual({ key: "/a/ü", value: '{"x":"é\\u0000"}', revision });
      expect(await knowledge.get("/a")).toBeUndefined();
    });

    it("may be large, and hold any character", async () => {
      const large = JSON.stringify({ text: `${"é\u2028😀\u0000".repeat(20_000)}` });
      await knowledge.put("/large/😀 x", large);
      await knowledge.put("/nul", "\u0000");
      await knowledge.put("/empty", "");
      expect((await knowledge.get("/large/😀 x"))?.value).toBe(large);
      expect((await knowledge.list("/")).entries.map(({ key }) => key)).toEqual(["/empty", "/large/😀 x", "/nul"]);
      expect((await knowledge.get("/nul"))?.value).toBe("\u0000");
      expect((await knowledge.get("/empty"))?.value).toBe("");
    });

    it("are listed all, however many they are", async () => {
      const keys = Array.from({ length: 1_100 }, (_, i) => `/many/${String(i).padStart(4, "0")}`);
      for (let from = 0; from < keys.length; from += 100) {
        const [first = "", ...rest] = keys.slice(from, from + 100);
        await knowledge.put(first, "1", { also: rest.map((key) => ({ key, value: "1" })) });
      }
      expect((await knowledge.list("/many/")).entries.map(({ key }) => key)).toEqual(keys);
    });

    it("share one revision counter, which only rises", async () => {
      const first = await knowledge.put("/a", "1");
      const second = await knowledge.put("/b", "1");
      const third = await knowledge.put("/a", "2");
      expect(first).toBeLessThan(second);
      expect(second).toBeLessThan(third);
      expect((await knowledge.get("/b"))?.revision).toBe(second);
      expect((await knowledge.list("/")).revision).toBe(third);
    });

    it("are listed below a prefix, sorted by key", async () => {
      for (const key of ["/s/b", "/s/a", "/sa", "/t/c", "/s/a/1"]) await knowledge.put(key, key);
      const { entries } = await knowledge.list("/s/");
      expect(entries.map(({ key }) => key)).toEqual(["/s/a", "/s/a/1", "/s/b"]);
      expect((await knowledge.list("/none/")).entries).toEqual([]);
    });

    it("go when deleted, and give the revision of it, or none when they were not there", async () => {
      const put = await knowledge.put("/a", "1");
      expect(await knowledge.delete("/a")).toBe(put + 1);
      expect(await knowledge.delete("/a")).toBeUndefined();
      expect(await knowledge.get("/a")).toBeUndefined();
      expect((await knowledge.list("/")).revision).toBe(put + 1);
    });

    it("may be kept beside the others, where who lists or watches those does not see them", async () => {
      const watch = knowledge.watch("/");
      await knowledge.put("~history/a", "1");
      await knowledge.put("/a", "2");
      expect((await take(watch, 1)).map(short)).toEqual(["put /a=2"]);
      expect((await knowledge.list("/")).entries.map(({ key }) => key)).toEqual(["/a"]);
      expect((await knowledge.list("~history/")).entries.map(({ key }) => key)).toEqual(["~history/a"]);
    });

    it.each(["", "a", "no/slash", "~/a", "~a", "/a\nb", "/a\u0000", `/${"x".repeat(512)}`])(
      "refuse the key %j",
      async (key) => {
        await expect(knowledge.put(key, "1")).rejects.toMatchObject({ label: "INVALID_REQUEST" });
      },
    );
  });

  describe("compare and swap", () => {
    it("takes a put at the right revision and names the one that is there otherwise", async () => {
      const first = await knowledge.put("/a", "1", { ifRevision: 0 });
      const second = await knowledge.put("/a", "2", { ifRevision: first });
      const late = knowledge.put("/a", "3", { ifRevision: first });
      await expect(late).rejects.toMatchObject({
        label: "REVISION_CONFLICT",
        message: `/a is at revision ${second}, expected ${first}`,
      });
      expect((await knowledge.get("/a"))?.value).toBe("2");
    });

    it("lets one of many win", async () => {
      const puts = Array.from({ length: 20 }, (_, i) => knowledge.put("/a", String(i), { ifRevision: 0 }));
      const results = await Promise.allSettled(puts);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    it("says of a key that is not there that it is not", async () => {
      const put = knowledge.put("/a", "1", { ifRevision: 7 });
      await expect(put).rejects.toMatchObject({
        label: "REVISION_CONFLICT",
        message: expect.stringContaining("does not exist"),
      });
    });

    it("holds for deletes too", async () => {
      const revision = await knowledge.put("/a", "1");
      const wrong = knowledge.delete("/a", { ifRevision: revision + 1 });
      await expect(wrong).rejects.toMatchObject({ label: "REVISION_CONFLICT" });
      expect(await knowledge.delete("/a", { ifRevision: revision })).toBe(revision + 1);
    });
  });

  describe("a transaction", () => {
    it("puts several documents at one revision, which a watch sees one after the other", async () => {
      const watch = knowledge.watch("/");
      const also = ["c", "b"].map((name) => ({ key: `/${name}`, value: name }));
      const revision = await knowledge.put("/a", "a", { also });
      expect((await knowledge.list("/")).entries).toEqual(
        ["a", "b", "c"].map((name) => ({ key: `/${name}`, value: name, revision })),
      );
      await knowledge.put("/d", "d");
      const seen = await take(watch, 4);
      expect(seen.map(short)).toEqual(["put /a=a", "put /c=c", "put /b=b", "put /d=d"]);
      expect(seen.map((change) => change.kind === "put" && change.entry.revision)).toEqual([
        ...[revision, revision, revision],
        revision + 1,
      ]);
    });

    it("counts once, so that a watch that begins after it misses and repeats nothing", async () => {
      const revision = await knowledge.put("/a", "1", { also: [{ key: "/b", value: "1" }] });
      await knowledge.put("/c", "1", { also: [{ key: "/d", value: "1" }] });
      const later = await take(knowledge.watch("/", revision + 1), 2);
      expect(later.map(short)).toEqual(["put /c=1", "put /d=1"]);
      const all = await take(knowledge.watch("/", revision), 4);
      expect(all.map(short)).toEqual(["put /a=1", "put /b=1", "put /c=1", "put /d=1"]);
    });

    it("takes a document away and puts others in its place", async () => {
      await knowledge.put("/a", "1");
      const watch = knowledge.watch("/");
      const revision = await knowledge.delete("/a", { also: [{ key: "/gone/a", value: "{}" }] });
      expect((await take(watch, 2)).map(short)).toEqual(["delete /a", "put /gone/a={}"]);
      expect(await knowledge.get("/gone/a")).toMatchObject({ revision });
    });

    it("puts nothing when there was nothing to delete", async () => {
      expect(await knowledge.delete("/a", { also: [{ key: "/b", value: "1" }] })).toBeUndefined();
      expect((await knowledge.list("/")).entries).toEqual([]);
    });

    it("changes nothing when one of its documents is not as it was expected", async () => {
      const revision = await knowledge.put("/a", "1");
      const late = { key: "/b", value: "1", ifRevision: revision };
      const put = knowledge.put("/a", "2", { ifRevision: revision, also: [{ key: "/c", value: "1" }, late] });
      await expect(put).rejects.toMatchObject({ label: "REVISION_CONFLICT" });
      const gone = knowledge.delete("/a", { ifRevision: revision, also: [late] });
      await expect(gone).rejects.toMatchObject({ label: "REVISION_CONFLICT" });
      expect(await knowledge.list("/")).toEqual({ entries: [{ key: "/a", value: "1", revision }], revision });
    });

    it.each([
      ["a key that is none", { key: "b", value: "1" }],
      ["the same key twice", { key: "/a", value: "1" }],
    ])("refuses %s, and changes nothing", async (_, companion) => {
      const put = knowledge.put("/a", "1", { also: [companion] });
      await expect(put).rejects.toMatchObject({ label: "INVALID_REQUEST" });
      expect((await knowledge.list("/")).entries).toEqual([]);
    });

    it("takes a key that it puts out of its lease", async () => {
      const lease = await knowledge.grant(5_000);
      await knowledge.put("/held", "1", { lease });
      await knowledge.put("/a", "1", { also: [{ key: "/held", value: "2" }] });
      await lease.end();
      expect(await knowledge.get("/held")).toMatchObject({ value: "2" });
    });
  });

  describe("a watch", () => {
    it("sees every change below its prefix from now on, in order, and no other", async () => {
      await knowledge.put("/w/before", "0");
      const watch = knowledge.watch("/w/");
      const seen = take(watch, 4);
      await knowledge.put("/w/a", "1");
      await knowledge.put("/other", "1");
      await knowledge.put("/w/a", "2");
      await knowledge.delete("/w/a");
      await knowledge.put("/w/b", "3");
      expect((await seen).map(short)).toEqual(["put /w/a=1", "put /w/a=2", "delete /w/a", "put /w/b=3"]);
    });

    it("that begins after a listing misses nothing and repeats nothing", async () => {
      await knowledge.put("/w/a", "1");
      const { revision } = await knowledge.list("/w/");
      await knowledge.put("/w/b", "2");
      const watch = knowledge.watch("/w/", revision + 1);
      await knowledge.put("/w/c", "3");
      expect((await take(watch, 2)).map(short)).toEqual(["put /w/b=2", "put /w/c=3"]);
    });

    it("can begin long ago, in the middle of what was changed since", async () => {
      const revisions: number[] = [];
      for (let i = 0; i < 20; i++) revisions.push(await knowledge.put(`/w/${i % 3}`, String(i)));
      await knowledge.delete("/w/0");
      const seen = await take(knowledge.watch("/w/", revisions[10]), 11);
      const wanted = Array.from({ length: 10 }, (_, i) => `put /w/${(i + 10) % 3}=${i + 10}`);
      expect(seen.map(short)).toEqual([...wanted, "delete /w/0"]);
    });

    it("is one of many, each with a prefix of its own", async () => {
      const prefixes = ["", "/", "/w/", "/w/a", "/w/a/", "/x/", "~side/", "/w/é"];
      const watches = prefixes.map((prefix) => take(knowledge.watch(prefix), prefix === "/x/" ? 1 : 2));
      const also = ["/w/a/1", "/w/é2", "~side/1", "/w/é1", "/w/ab"].map((key) => ({ key, value: "1" }));
      await knowledge.put("/w/a", "1", { also });
      await knowledge.put("/x/1", "1", {
        also: [
          { key: "/w/a/2", value: "1" },
          { key: "~side/2", value: "1" },
        ],
      });
      const seen = await Promise.all(watches);
      expect(seen.map((changes) => changes.map((one) => (one.kind === "put" ? one.entry.key : "")))).toEqual([
        ["/w/a", "/w/a/1"],
        ["/w/a", "/w/a/1"],
        ["/w/a", "/w/a/1"],
        ["/w/a", "/w/a/1"],
        ["/w/a/1", "/w/a/2"],
        ["/x/1"],
        ["~side/1", "~side/2"],
        ["/w/é2", "/w/é1"],
      ]);
    });

    it("can begin with the very first change", async () => {
      const watch = knowledge.watch("/", 1);
      await knowledge.put("/a", "1");
      expect((await take(watch, 1)).map(short)).toEqual(["put /a=1"]);
    });

    it("has the revisions of the store", async () => {
      const watch = knowledge.watch("/");
      const revision = await knowledge.put("/a", "1");
      await knowledge.delete("/a");
      const after = (await knowledge.list("/")).revision;
      expect(await take(watch, 2)).toEqual([
        { kind: "put", entry: { key: "/a", value: "1", revision } },
        { kind: "delete", key: "/a", revision: after },
      ]);
    });

    it("ends its loop when it is closed", async () => {
      const watch = knowledge.watch("/");
      const seen = take(watch, 1);
      watch.close();
      expect(await seen).toEqual([]);
    });

    it("ends when the knowledge base is closed", async () => {
      const seen = take(knowledge.watch("/"), 1);
      await knowledge.close();
      expect(await seen).toEqual([]);
    });
  });

  describe("a lease", () => {
    it("takes its keys along when it ends, as changes that a watch sees", async () => {
      const lease = await knowledge.grant(5_000);
      await knowledge.put("/online/UVA", "1", { lease });
      await knowledge.put("/kept", "1");
      const seen = take(knowledge.watch("/online/"), 1);
      await lease.end();
      await lease.end();
      expect((await seen).map(short)).toEqual(["delete /online/UVA"]);
      expect((await knowledge.list("/")).entries.map(({ key }) => key)).toEqual(["/kept"]);
    });

    it("lets go of a key that was put again without it", async () => {
      const lease = await knowledge.grant(5_000);
      await knowledge.put("/a", "1", { lease });
      await knowledge.put("/a", "2");
      await lease.end();
      expect((await knowledge.get("/a"))?.value).toBe("2");
    });

    it("is held for certain from the grant on until it ends, whatever is known of the store", async () => {
      const lease = await knowledge.grant(5_000);
      expect(lease.ttlMs).toBeGreaterThanOrEqual(5_000);
      const revision = await knowledge.put("/a", "1", { lease });
      expect([lease.isHeld(0), lease.isHeld(revision)]).toEqual([true, true]);
      await lease.end();
      expect([lease.isHeld(revision), lease.isHeld(Number.MAX_SAFE_INTEGER)]).toEqual([false, false]);
    });

    it("takes no key along that another has", async () => {
      const [one, other] = [await knowledge.grant(5_000), await knowledge.grant(5_000)];
      await knowledge.put("/a", "1", { lease: one });
      await knowledge.put("/a", "2", { lease: other });
      await one.end();
      expect(await knowledge.get("/a")).toMatchObject({ value: "2" });
      await other.end();
      expect(await knowledge.get("/a")).toBeUndefined();
    });

    it("that has ended holds no new key", async () => {
      const lease = await knowledge.grant(5_000);
      await lease.end();
      await expect(knowledge.put("/a", "1", { lease })).rejects.toMatchObject({ label: "KNOWLEDGE_UNAVAILABLE" });
      expect(await knowledge.get("/a")).toBeUndefined();
    });
  });

  it("refuses everything once it is closed", async () => {
    const lease = await knowledge.grant(5_000);
    await knowledge.close();
    await knowledge.close();
    await lease.end();
    const gone = { label: "KNOWLEDGE_UNAVAILABLE" };
    await expect(knowledge.get("/a")).rejects.toMatchObject(gone);
    await expect(knowledge.list("/")).rejects.toMatchObject(gone);
    await expect(knowledge.put("/a", "1")).rejects.toMatchObject(gone);
    await expect(knowledge.delete("/a")).rejects.toMatchObject(gone);
    await expect(knowledge.grant(5_000)).rejects.toMatchObject(gone);
    await expect(take(knowledge.watch("/"), 1)).rejects.toMatchObject(gone);
  });
}
