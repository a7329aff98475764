/** What a copy of a process has in common with its original, and must not. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callFor, documentOf, isAlive, soon } from "#testing/worker-backend-contract";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { type ForkBackend, type ForkBackendOptions, forkBackend } from "./fork-backend.ts";
import { jsonLog } from "./json-log.ts";
import { residentMb } from "./resident-memory.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dynamos-test-"));
  await bundleFunction(join(import.meta.dirname, "testing-steps/draws.ts"), folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: ForkBackend[] = [];
afterEach(() => Promise.all(opened.splice(0).map((backend) => backend.close())));

function open(options: Partial<ForkBackendOptions> = {}): ForkBackend {
  const backend = forkBackend({
    workerFile: join(folder, "worker.js"),
    environment: { party: "UVA", TOKEN: "secret" },
    parentEnvironment: { PATH: "/bin" },
    heapMb: 64,
    memoryMb: 256,
    startMs: 15_000,
    network: false,
    log: jsonLog({}, () => {}),
    ...options,
  });
  opened.push(backend);
  return backend;
}

async function invoke(backend: ForkBackend, sql = "") {
  const worker = await backend.start(new AbortController().signal);
  const found = documentOf(await worker.call(callFor("draws", { sql }), soon()));
  worker.kill();
  await worker.gone;
  return { ...found, id: worker.id };
}

const many = async (backend: ForkBackend, count: number) => {
  const found: Awaited<ReturnType<typeof invoke>>[] = [];
  for (let i = 0; i < count; i++) found.push(await invoke(backend));
  return found;
};
const namespaces = ["user", "mnt", "ipc", "uts", "net"];
const distinct = (values: readonly unknown[]) => new Set(values).size;

describe.skipIf(process.platform !== "linux")("forked workers", () => {
  it.each(["random", "uuid", "webUuid", "integer", "bytes", "id"])(
    "draw no %s twice, though the parent drew before the fork",
    async (what) => {
      const found = await many(open(), 6);
      expect(distinct(found.map((each) => each[what]))).toBe(6);
    },
  );

  it("have what the rehearsals left in the parent, as V8 forgets what it learnt of kinds of objects with the last of them", async () => {
    expect((await many(open(), 3)).map(({ isLeftBehind }) => isLeftBehind)).toEqual([true, true, true]);
  });

  it("know their own pid, and no two have pid and start time in common", async () => {
    const found = await many(open(), 5);
    for (const { pid, realPid, id } of found) expect([pid, id.split("-")[0]]).toEqual([realPid, `${realPid}`]);
    expect(distinct(found.map(({ pid, startTicks }) => `${pid} ${startTicks}`))).toBe(5);
    expect(found.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  it("have their environment, of which the parent knows nothing", async () => {
    const backend = open();
    const { environment } = await invoke(backend);
    expect(environment).toEqual(["HOME", "TMPDIR", "TOKEN", "party"]);
    expect(readFileSync(`/proc/${backend.parentPid}/environ`, "latin1")).not.toContain("secret");
  });

  it("have as many threads beside the event loop as their environment says", async () => {
    expect((await invoke(open({ environment: { UV_THREADPOOL_SIZE: "1" } }))).threads).toBe(2);
    expect((await invoke(open({ environment: { UV_THREADPOOL_SIZE: "3" } }))).threads).toBe(4);
  });

  it("have a small young generation, which the rehearsals can't have made large", async () => {
    const oldMib = 64;
    // Two halves of 1 MiB, and as much for large objects.
    expect((await invoke(open({ heapMb: oldMib }))).heapLimitMib).toBeLessThanOrEqual(oldMib + 3);
  });

  it("reach no network where the kernel lets them give it up, and do where it is allowed", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as { port: number };
    const closed = open();
    await closed.selfTest();
    if (closed.rights.includes("network")) expect((await invoke(closed, `${port}`)).reach).toBe("ENETUNREACH");
    else process.stderr.write("SKIPPED: this kernel lets no worker give up the network\n");
    expect((await invoke(open({ network: true }), `${port}`)).reach).toBe("connected");
    await new Promise((resolve) => server.close(resolve));
  });

  it("share no namespace with the door, and have theirs from the parent, where the kernel lets it have its own", async () => {
    const backend = open();
    await backend.selfTest();
    if (!backend.rights.includes("namespaces")) {
      process.stderr.write("SKIPPED: this kernel lets no worker leave its namespaces\n");
      return;
    }
    const of = (pid: number | "self") => namespaces.map((name) => readlinkSync(`/proc/${pid}/ns/${name}`));
    const { namespaces: found } = await invoke(backend);
    expect(found).toEqual(of(backend.parentPid));
    const doors = of("self");
    expect(found.filter((each: string) => doors.includes(each))).toEqual([]);
  });

  it("leave the parent's memory, descriptors and threads as they were, and no process", async () => {
    const invocations = Number(process.env.DYNAMOS_FORK_SOAK ?? 300);
    const backend = open({ forksPerParentMax: invocations + 100 });
    await many(backend, 60);
    const pid = backend.parentPid;
    const state = () => ({
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: readdirSync(`/proc/${pid}/task`).length,
      mb: residentMb(pid) ?? 0,
    });
    const before = state();
    for (let done = 0; done < invocations; done += 6) {
      await Promise.all(Array.from({ length: 6 }, () => invoke(backend)));
    }
    const after = state();
    process.stderr.write(`${invocations} forks: ${JSON.stringify({ before, after })}\n`);
    expect(backend.parentPid).toBe(pid);
    expect({ ...after, mb: 0 }).toEqual({ ...before, mb: 0 });
    expect(after.mb - before.mb).toBeLessThan(20);
    expect(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")).toBe("");
  }, 3_600_000);

  it("get another parent in time, and none is left without", async () => {
    const backend = open({ forksPerParentMax: 3 });
    const parents = new Set<number>();
    for (let i = 0; i < 24; i++) {
      await invoke(backend);
      parents.add(backend.parentPid);
    }
    expect(parents.size).toBeGreaterThan(1);
    await expect.poll(() => [...parents].filter(isAlive), { timeout: 5_000 }).toEqual([backend.parentPid]);
  });
});
