/** An etcd of the test's own: private folder, free loopback ports, stopped by its pid, nothing left behind. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

export interface Etcd {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL, as if its machine were gone. */
  kill(): Promise<void>;
  /** SIGTERM, as it is stopped for an upgrade: it hands on what it leads. */
  terminate(): Promise<void>;
  /** Over the same folder and ports. */
  start(): Promise<void>;
  /** What `etcdctl` prints for these words. @throws Error with what it had to say */
  control(...words: string[]): Promise<string>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface EtcdSettings {
  /** More of its arguments. */
  readonly more?: readonly string[];
  /** In place of an empty folder: what `etcdctl snapshot restore` made. */
  readonly dataDir?: string;
  readonly scheme?: "http" | "https";
  /** How `etcdctl` and the look whether it is up prove themselves. */
  readonly controlMore?: readonly string[];
}

const startMsMax = 30_000;
const endMsMax = 30_000;
const run = promisify(execFile);

/** Whether Debian's etcd-server and etcd-client, or others, are there. */
export function hasEtcd(): boolean {
  return ["etcd", "etcdctl"].every(
    (program) => spawnSync(program, ["--help"], { stdio: "ignore" }).error === undefined,
  );
}

/** For a suite: `describe.skipIf(!etcdIsThere("…"))`. */
export function etcdIsThere(suite: string): boolean {
  const isThere = hasEtcd();
  if (!isThere) process.stderr.write(`SKIPPED: etcd is not installed, ${suite} does not run\n`);
  return isThere;
}

export async function startEtcd(settings: EtcdSettings = {}): Promise<Etcd> {
  const [first] = await startEtcds(1, settings);
  return first as Etcd;
}

/** A cluster of so many members. @throws Error when they are not up in half a minute */
export async function startEtcds(count: number, settings: EtcdSettings = {}): Promise<Etcd[]> {
  const members = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      name: `m${i}`,
      port: await freePort(),
      peerPort: await freePort(),
    })),
  );
  const cluster = members.map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`).join(",");
  const etcds = await Promise.all(members.map((member) => makeEtcd(member, cluster, settings)));
  try {
    // Together: one alone waits for the others.
    await Promise.all(etcds.map((etcd) => etcd.start()));
  } catch (error) {
    await Promise.all(etcds.map((etcd) => etcd.stop()));
    throw error;
  }
  return etcds;
}

interface Member {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
}

async function makeEtcd({ name, port, peerPort }: Member, cluster: string, settings: EtcdSettings): Promise<Etcd> {
  const { more = [], dataDir, scheme = "http", controlMore = [] } = settings;
  const folder = await mkdtemp(join(tmpdir(), "dynamos-etcd-"));
  const url = `${scheme}://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const words = [
    ...["--name", name, "--data-dir", dataDir ?? join(folder, "data"), "--unsafe-no-fsync"],
    ...["--listen-client-urls", url, "--advertise-client-urls", url],
    ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--initial-cluster", cluster],
    ...[
      "--heartbeat-interval",
      "50",
      "--election-timeout",
      "500",
      "--logger",
      "zap",
      "--log-outputs",
      "/dev/null",
      ...more,
    ],
  ];
  let child: ChildProcess | undefined;
  // A test run that is interrupted runs no teardown.
  const abort = () => void child?.kill("SIGKILL");
  process.once("exit", abort);

  async function control(...given: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, ETCDCTL_API: "3" };
    return (await run("etcdctl", ["--endpoints", url, ...controlMore, ...given], { env, timeout: 20_000 })).stdout;
  }

  async function start(): Promise<void> {
    child = spawn("etcd", words, { stdio: "ignore", env: { PATH: process.env.PATH } });
    const giveUpAtMs = performance.now() + startMsMax;
    while (performance.now() < giveUpAtMs) {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
      // Whatever it says: a cluster with authentication lets nobody read without a user.
      const said = await control("--command-timeout", "1s", "get", "/").catch((error: Error) => error.message);
      if (!/deadline exceeded|refused|unavailable|no leader/i.test(said)) return;
      await wait(30);
    }
    throw new Error("etcd did not answer within half a minute");
  }

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const one = child;
    if (one === undefined || one.exitCode !== null || one.signalCode !== null) return;
    const late = setTimeout(() => one.kill("SIGKILL"), endMsMax);
    await new Promise<void>((resolve) => {
      one.once("exit", () => resolve());
      one.kill(signal);
    });
    clearTimeout(late);
  }
  const kill = () => end("SIGKILL");

  return {
    url,
    port,
    kill,
    terminate: () => end("SIGTERM"),
    start,
    control,
    stop: async () => {
      await kill();
      process.off("exit", abort);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
