/** A snapshot of etcd and what comes of it: docs/knowledge.md says to do it so. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { etcdIsThere, startEtcd } from "#testing/etcd";
import { openTcpProxy } from "#testing/tcp-proxy";
import { connectEtcd } from "./knowledge.ts";

const run = promisify(execFile);
const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

describe.skipIf(!etcdIsThere("backup and restore of it"))("a backup of etcd", () => {
  it("brings the documents back, and whoever knew the store before must start again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dynamos-etcd-backup-"));
    cleanup.push(() => rm(folder, { recursive: true, force: true }));
    const etcd = await startEtcd();
    cleanup.push(() => etcd.stop());
    const before = connectEtcd({ endpoints: [etcd.url], namespace: "" });
    cleanup.push(() => before.close());
    await before.put("/agreements/UVA", '{"is":"kept"}', { also: [{ key: "~history/agreements/UVA/1", value: "{}" }] });
    const [snapshot, dataDir] = [join(folder, "snapshot.db"), join(folder, "data")];
    await etcd.control("snapshot", "save", snapshot);
    // What comes after the snapshot is lost with the store.
    for (let i = 0; i < 5; i++) await before.put("/agreements/VU", String(i));
    const env = { PATH: process.env.PATH, ETCDCTL_API: "3" };
    const words = ["snapshot", "restore", snapshot, "--data-dir", dataDir, "--name", "m0"];
    const peer = "http://127.0.0.1:1";
    await run("etcdctl", [...words, "--initial-cluster", `m0=${peer}`, "--initial-advertise-peer-urls", peer], { env });
    const restored = await startEtcd({ dataDir });
    cleanup.push(() => restored.stop());
    const after = connectEtcd({ endpoints: [restored.url], namespace: "" });
    cleanup.push(() => after.close());
    expect((await after.list("")).entries.map(({ key, value }) => [key, value])).toEqual([
      ["/agreements/UVA", '{"is":"kept"}'],
      ["~history/agreements/UVA/1", "{}"],
    ]);
    // The same address, and another store behind it.
    const proxy = await openTcpProxy(restored.port);
    cleanup.push(() => proxy.close());
    const stays = connectEtcd({ endpoints: [etcd.url, `http://127.0.0.1:${proxy.port}`], namespace: "" });
    cleanup.push(() => stays.close());
    const lease = await stays.grant(60_000);
    await stays.get("/agreements/VU");
    expect(lease.isHeld(Number.MAX_SAFE_INTEGER)).toBe(true);
    await etcd.kill();
    const gone = {
      label: "KNOWLEDGE_UNAVAILABLE",
      message: expect.stringContaining("nothing known of it holds, start again"),
    };
    await expect(stays.get("/agreements/UVA")).rejects.toMatchObject(gone);
    await expect(stays.put("/agreements/UVA", "{}")).rejects.toMatchObject(gone);
    expect(lease.isHeld(Number.MAX_SAFE_INTEGER)).toBe(false);
  }, 60_000);
});
