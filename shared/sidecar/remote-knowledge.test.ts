import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { ClientReadableStream } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { systemClock } from "#adapters/system/clock";
import type { Change, Knowledge } from "#ports/knowledge";
import { knowledgeContract } from "#testing/knowledge-contract";
import { openTcpProxy } from "#testing/tcp-proxy";
import { serveKnowledge } from "./grpc-server.ts";
import { connectKnowledge } from "./remote-knowledge.ts";
import { RemoteWatch, type WatchMessage } from "./remote-watch.ts";

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function serve(): Promise<{ store: Knowledge; address: string }> {
  const store = createMemoryKnowledge({ clock: systemClock });
  const server = await serveKnowledge(store, "127.0.0.1:0");
  cleanup.push(
    () => store.close(),
    () => server.stop(),
  );
  return { store, address: server.address };
}

function connect(address: string): Knowledge {
  const knowledge = connectKnowledge(address);
  cleanup.push(() => knowledge.close());
  return knowledge;
}

function streamOf(messages: readonly WatchMessage[]): ClientReadableStream<WatchMessage> {
  return Object.assign(Readable.from(messages), { cancel: () => {} }) as unknown as ClientReadableStream<WatchMessage>;
}

describe("the knowledge base of another sidecar", () => {
  knowledgeContract(async () => {
    const store = createMemoryKnowledge({ clock: systemClock });
    const server = await serveKnowledge(store, "127.0.0.1:0");
    const open: Knowledge[] = [];
    return {
      connect: async () => {
        const knowledge = connectKnowledge(server.address);
        open.push(knowledge);
        return knowledge;
      },
      close: async () => {
        await Promise.all(open.map((knowledge) => knowledge.close()));
        await server.stop();
        await store.close();
      },
    };
  });

  it("keeps a lease that its holder renews, and ends that of a holder who went away", async () => {
    const { store, address } = await serve();
    const holder = connect(address);
    await holder.put("/online/UVA", "1", { lease: await holder.grant(150) });
    await wait(500);
    expect(await store.get("/online/UVA")).toBeDefined();
    await holder.close();
    await expect.poll(() => store.get("/online/UVA")).toBeUndefined();
  });

  it("holds a lease for certain only while it was renewed in time, and after a loss once its keys are known to be there", async () => {
    const { store, address } = await serve();
    const proxy = await openTcpProxy(Number(address.split(":")[1]));
    cleanup.push(() => proxy.close());
    const holder = connect(`127.0.0.1:${proxy.port}`);
    const lease = await holder.grant(600);
    const before = await holder.put("/online/UVA", "1", { lease });
    expect(lease.isHeld(before)).toBe(true);
    proxy.cut();
    await expect.poll(() => lease.isHeld(before), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => store.get("/online/UVA"), { timeout: 10_000 }).toBeUndefined();
    proxy.heal();
    // The change that was made while it was away is not known to who only knows the store up to before it.
    await expect.poll(() => lease.isHeld(Number.MAX_SAFE_INTEGER), { timeout: 20_000 }).toBe(true);
    expect(lease.isHeld(before)).toBe(false);
    const restored = await store.get("/online/UVA");
    expect(lease.isHeld(restored?.revision ?? 0)).toBe(true);
    await lease.end();
    expect(lease.isHeld(Number.MAX_SAFE_INTEGER)).toBe(false);
  }, 60_000);

  it("grants a lost lease anew, with the keys that it held", async () => {
    const { store, address } = await serve();
    const proxy = await openTcpProxy(Number(address.split(":")[1]));
    cleanup.push(() => proxy.close());
    const holder = connect(`127.0.0.1:${proxy.port}`);
    const lease = await holder.grant(150);
    await holder.put("/online/UVA", "1", { lease });
    proxy.cut();
    await expect.poll(() => store.get("/online/UVA"), { timeout: 5_000 }).toBeUndefined();
    proxy.heal();
    await expect.poll(() => store.get("/online/UVA"), { timeout: 10_000 }).toMatchObject({ value: "1" });
    await lease.end();
    expect(await store.get("/online/UVA")).toBeUndefined();
  });

  it("misses and repeats no change while its connection is cut", async () => {
    const { store, address } = await serve();
    const proxy = await openTcpProxy(Number(address.split(":")[1]));
    cleanup.push(() => proxy.close());
    const knowledge = connect(`127.0.0.1:${proxy.port}`);
    const watch = knowledge.watch("/w/");
    const seen: Change[] = [];
    const reading = (async () => {
      for await (const change of watch) seen.push(change);
    })();
    await knowledge.put("/w/a", "1");
    await expect.poll(() => seen.length).toBe(1);
    proxy.cut();
    await store.put("/w/b", "2");
    await store.delete("/w/a");
    proxy.heal();
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(3);
    await store.put("/w/c", "3");
    await expect.poll(() => seen.map((change) => change.kind)).toEqual(["put", "put", "delete", "put"]);
    watch.close();
    await reading;
  });

  it("misses and repeats no change of a transaction in whose middle the connection was lost", async () => {
    const changes = ["/w/a", "/w/b", "/w/c"].map((key) => ({
      entry: { key, value: "1", revision: 7 },
      deleted: false,
    }));
    const next = { entry: { key: "/w/a", value: "2", revision: 8 }, deleted: false };
    // What each subscription brings before it ends; the last one ends the test.
    const brings = [changes.slice(0, 1), changes.slice(0, 2), [...changes, next]];
    const asked: (number | undefined)[] = [];
    const watch = new RemoteWatch({
      open: (from) => {
        asked.push(from);
        return streamOf(brings[asked.length - 1] ?? []);
      },
      fromRevision: 7,
      onEnd: () => {},
    });
    const seen: string[] = [];
    for await (const change of watch) {
      if (change.kind === "put") seen.push(`${change.entry.key}=${change.entry.value}`);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(["/w/a=1", "/w/b=1", "/w/c=1", "/w/a=2"]);
    expect(asked).toEqual([7, 7, 7]);
  });

  it("says that it does not answer", async () => {
    const nobody = connect("127.0.0.1:1");
    await expect(nobody.get("/a")).rejects.toMatchObject({ label: "KNOWLEDGE_UNAVAILABLE" });
  });
});
