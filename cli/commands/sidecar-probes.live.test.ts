/** A sidecar without a gateway, and what Kubernetes is told about it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { approvalEnvironment } from "#testing/approval-keys";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";

const canRun = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
if (!canRun) process.stderr.write("SKIPPED: a sidecar's probes need rabbitmq-server here\n");

const home = resolve(import.meta.dirname, "../..");

describe.skipIf(!canRun)("dynamos sidecar --functions", () => {
  let folder: string;
  let rabbitmq: RabbitMq | undefined;
  let child: ChildProcess;
  let metrics: string;
  const probe = async (path: string) => {
    const response = await fetch(new URL(path, metrics));
    return { status: response.status, text: await response.text() };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "dynamos-probes-"));
    const functions = join(folder, "functions.json");
    await writeFile(functions, JSON.stringify([{ step: "sql-query", url: "http://127.0.0.1:1", concurrency: 3 }]));
    rabbitmq = await startRabbitmq();
    const args = ["--party", "UVA", "--knowledge", "memory", "--functions", functions, "--metrics-port", "0"];
    const keys = ["--approval-keys", approvalEnvironment.approval_keys_file, "--records", join(folder, "records")];
    child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", "sidecar", ...args, ...keys], {
      cwd: home,
      env: { PATH: process.env.PATH, DYNAMOS_BROKER: rabbitmq.url },
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout?.setEncoding("utf8");
    const [line] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [string];
    ({ metrics } = JSON.parse(line));
  }, 90_000);

  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rabbitmq?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it("serves the queues of what the file names, and is ready", async () => {
    expect(await probe("/readyz")).toEqual({ status: 200, text: "ok\n" });
    const { text } = await probe("/metrics");
    expect(text).toContain('dynamos_queue_consumers{party="UVA",queue="uva.sql-query"} 1\n');
  });

  it("shows in its metrics each queue that the broker has of its party", async () => {
    const { text } = await probe("/metrics");
    const shown = [...text.matchAll(/^dynamos_queue_messages_ready\{party="UVA",queue="([^"]*)"\} 0$/gm)];
    // Replies to one sidecar are no queue of its party, and bear an id.
    const there = (await rabbitmq?.queues())?.map(({ name }) => name).filter((name) => !name.startsWith("reply."));
    expect(there).toContain("uva.returns");
    expect(shown.map(([, queue]) => queue).sort()).toEqual(there?.sort());
    expect(text).toContain('dynamos_queue_consumers{party="UVA",queue="uva.returns"} 1\n');
  }, 60_000);

  it("is alive and not ready while the broker is away", async () => {
    await rabbitmq?.stop();
    rabbitmq = undefined;
    await expect.poll(() => probe("/readyz")).toEqual({ status: 503, text: "broker: reconnecting\n" });
    expect(await probe("/healthz")).toEqual({ status: 200, text: "ok\n" });
  }, 60_000);
});
