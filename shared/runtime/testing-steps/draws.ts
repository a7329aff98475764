/** Draws what must never repeat, before the fork and after it, and looks at what the process has. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { getHeapStatistics } from "node:v8";
import { gzip } from "node:zlib";
import { forwardResult } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";

const draw = () => ({
  // biome-ignore lint/suspicious/noExplicitAny: what a step may not use is tried here.
  random: (Math as any).random() as number,
  uuid: randomUUID(),
  webUuid: globalThis.crypto?.randomUUID(),
  integer: randomInt(2 ** 47),
  bytes: randomBytes(8).toString("hex"),
});

/** Of the rehearsal, no longer used and past its youth: gone as soon as all garbage is collected. */
let leftBehind: WeakRef<object> | undefined;

function growOld(): WeakRef<object> {
  const held: object = {};
  const ref = new WeakRef(held);
  // Young memory is full several times over.
  for (let i = 0; i < 4_000; i++) new Array(1_000).fill(held);
  return ref;
}

export default defineStep<object>({
  name: "draws",
  isolation: "single-use",
  accepts: "nothing",
  rehearse: async () => {
    draw();
    leftBehind = growOld();
  },
  facts: async ({ query }) => {
    await Promise.all(Array.from({ length: 8 }, () => promisify(gzip)(Buffer.alloc(10_000))));
    return {
      ...draw(),
      isLeftBehind: leftBehind?.deref() !== undefined,
      pid: process.pid,
      realPid: Number(readlinkSync("/proc/self")),
      startTicks: readFileSync("/proc/self/stat", "latin1").split(") ")[1]?.split(" ")[19],
      descriptors: existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0,
      namespaces: ["user", "mnt", "ipc", "uts", "net"].map((name) => readlinkSync(`/proc/self/ns/${name}`)),
      interfaces: Object.keys(networkInterfaces()),
      reach: query?.sql ? await reach(Number(query.sql)) : "",
      environment: Object.keys(process.env).sort(),
      threads: readdirSync("/proc/self/task").length,
      heapLimitMib: getHeapStatistics().heap_size_limit / 1_048_576,
    };
  },
  decide: (_, found) =>
    forwardResult({
      table: undefined,
      chart: undefined,
      document: { mediaType: "application/json", body: Buffer.from(JSON.stringify(found)) },
    }),
});

function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
}
