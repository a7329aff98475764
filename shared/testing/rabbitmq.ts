/**
 * A RabbitMQ of the test's own: private folder, free loopback ports, nothing left behind.
 * The system's service and configuration are not touched.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

export interface RabbitMq {
  readonly url: string;
  readonly port: number;
  /** Ends the broker and starts it again over the same folder and port. */
  restart(): Promise<void>;
  /** What `rabbitmqctl` prints for these words. @throws Error with what it had to say */
  control(...words: string[]): Promise<string>;
  /** What another of its tools prints: `rabbitmq-upgrade`. @throws Error with what it had to say */
  tool(program: string, ...words: string[]): Promise<string>;
  queues(): Promise<QueueState[]>;
  /** As the nodes of a cluster know it. */
  readonly node: string;
  stop(): Promise<void>;
}

export interface QueueState {
  readonly name: string;
  readonly ready: number;
  readonly unacknowledged: number;
}

const startMsMax = 60_000;
const controlMsMax = 60_000;
const controlTriesMax = 5;
const run = promisify(execFile);
const libraries = "/usr/lib/rabbitmq/lib";

/** The server's start script, where Debian's package is installed. */
export function rabbitmqServer(): string | undefined {
  if (!existsSync(libraries)) return undefined;
  return readdirSync(libraries)
    .map((version) => join(libraries, version, "sbin/rabbitmq-server"))
    .find((path) => existsSync(path));
}

/** What the nodes of one cluster have in common: rabbitmq-cluster.ts. */
export interface ClusterMembership {
  readonly epmdPort: number;
  /** Erlang's shared secret. */
  readonly cookie: string;
}

/**
 * @param configuration more lines of rabbitmq.conf
 * @param membership absent: it stands alone, with an epmd of its own
 * @throws Error when it is not installed or not up in a minute
 */
export async function startRabbitmq(
  configuration: readonly string[] = [],
  membership?: ClusterMembership,
): Promise<RabbitMq> {
  const server = rabbitmqServer();
  if (server === undefined) throw new Error("rabbitmq-server is not installed");
  const folder = await mkdtemp(join(tmpdir(), "dynamos-rabbitmq-"));
  const [port, distPort, ownPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const epmdPort = membership?.epmdPort ?? ownPort;
  await writeFiles(folder, port, configuration);
  if (membership !== undefined) {
    await writeFile(join(folder, "home/.erlang.cookie"), membership.cookie, { mode: 0o400 });
  }
  const epmd = membership === undefined ? startEpmd(epmdPort) : undefined;
  const start = () =>
    spawn(server, [], { stdio: "ignore", detached: true, env: environment(folder, distPort, epmdPort) });
  let broker = start();
  // A test run that is interrupted runs no teardown.
  const abort = () => {
    signalGroup(broker, "SIGKILL");
    epmd?.kill("SIGKILL");
  };
  process.once("exit", abort);
  const stop = async () => {
    await ended(broker, (signal) => signalGroup(broker, signal));
    if (epmd !== undefined) await ended(epmd, (signal) => void epmd.kill(signal));
    process.off("exit", abort);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(port, broker);
  } catch (error) {
    await stop();
    throw error;
  }
  const restart = async () => {
    await ended(broker, (signal) => signalGroup(broker, signal));
    broker = start();
    await untilItAnswers(port, broker);
  };
  const tool = async (program: string, ...words: string[]) => {
    for (let tries = 1; ; tries++) {
      // A port that was free a moment ago may not be any more, and the tool does not try another.
      const toolPort = String(await freePort());
      const ports = { RABBITMQ_CTL_DIST_PORT_MIN: toolPort, RABBITMQ_CTL_DIST_PORT_MAX: toolPort };
      const options = { env: { ...environment(folder, distPort, epmdPort), ...ports }, timeout: controlMsMax };
      try {
        return (await run(join(dirname(server), program), ["--quiet", ...words], options)).stdout;
      } catch (error) {
        if (tries === controlTriesMax || !String(error).includes("nodistribution")) throw error;
      }
    }
  };
  const control = (...words: string[]) => tool("rabbitmqctl", ...words);
  const queues = async () => {
    const table = await control(
      "--no-table-headers",
      "list_queues",
      "name",
      "messages_ready",
      "messages_unacknowledged",
    );
    return table
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t"))
      .map(([name = "", ready, unacknowledged]) => ({
        name,
        ready: Number(ready),
        unacknowledged: Number(unacknowledged),
      }));
  };
  const url = `amqp://test:test@127.0.0.1:${port}`;
  return { url, port, node: nodeName(distPort), restart, control, tool, queues, stop };
}

/** Ours, so that it ends with us: the one that a broker would start by itself stays for ever. */
export function startEpmd(port: number): ChildProcess {
  return spawn("epmd", ["-port", String(port), "-address", "127.0.0.1"], { stdio: "ignore" });
}

/** epmd knows nodes by name, and several test runs may share a machine. */
function nodeName(distPort: number): string {
  return `dynamos${process.pid}p${distPort}@localhost`;
}

/** The start script and all that it started. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

async function writeFiles(folder: string, port: number, configuration: readonly string[]): Promise<void> {
  await mkdir(join(folder, "home"));
  await writeFile(join(folder, "enabled_plugins"), "[].\n");
  const config = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    "default_user = test",
    "default_pass = test",
    "loopback_users = none",
    "log.console = false",
    "vm_memory_high_watermark.relative = 0.2",
    "disk_free_limit.absolute = 50MB",
    ...configuration,
  ];
  await writeFile(join(folder, "rabbitmq.conf"), `${config.join("\n")}\n`);
}

function environment(folder: string, distPort: number, epmdPort: number): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: join(folder, "home"),
    RABBITMQ_NODENAME: nodeName(distPort),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: join(folder, "log/rabbit.log"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    // Without it Erlang's distribution listens on every interface.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
}

async function untilItAnswers(port: number, broker: ChildProcess): Promise<void> {
  const giveUpAtMs = Date.now() + startMsMax;
  while (Date.now() < giveUpAtMs) {
    if (broker.exitCode !== null) throw new Error(`rabbitmq-server ended with ${broker.exitCode}`);
    if (await answers(port)) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  throw new Error("rabbitmq-server did not answer within a minute");
}

/** Whether it speaks AMQP yet: the port is open before the broker is ready. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(Buffer.from("AMQP\x00\x00\x09\x01", "latin1")));
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

export function ended(child: ChildProcess, terminate: (signal: NodeJS.Signals) => void): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      resolve();
      return;
    }
    const force = setTimeout(() => terminate("SIGKILL"), 10_000);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    terminate("SIGTERM");
  });
}
