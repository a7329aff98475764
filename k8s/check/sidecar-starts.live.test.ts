/** A sidecar with the arguments, variables and files that its manifest gives it, but for where this machine's things are. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { V1Container, V1EnvVar } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { approvalEnvironment } from "#testing/approval-keys";
import { type Etcd, etcdIsThere, startEtcd } from "#testing/etcd";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { isObject, type Manifest } from "./manifest.ts";
import { render } from "./render.ts";
import { workloadsOf } from "./workloads.ts";

const checkout = resolve(import.meta.dirname, "../..");
const hasBroker = rabbitmqServer() !== undefined && process.env.DYNAMOS_TEST_AMQP_URL !== "";
if (!hasBroker) process.stderr.write("SKIPPED: starting a sidecar as its manifest says needs rabbitmq-server here\n");

describe.skipIf(!hasBroker || !etcdIsThere("a sidecar as its manifest says"))(
  "the sidecar of overlays/plain/uva",
  () => {
    let folder: string;
    let manifests: readonly Manifest[];
    let rabbitmq: RabbitMq | undefined;
    let etcd: Etcd | undefined;
    let child: ChildProcess | undefined;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "sidecar-starts-"));
      manifests = await render(resolve(checkout, "k8s/overlays/plain/uva"));
      [rabbitmq, etcd] = await Promise.all([startRabbitmq(), startEtcd()]);
    }, 90_000);

    afterAll(async () => {
      if (child?.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await Promise.all([rabbitmq?.stop(), etcd?.stop()]);
      await rm(folder, { recursive: true, force: true });
    }, 60_000);

    const dataOf = (name: string): Record<string, string> => {
      const data = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(name))?.data;
      return isObject(data) ? (data as Record<string, string>) : {};
    };

    /** Of the variables those that name certificates and users are left out: neither server here asks for any. */
    function environmentOf(env: readonly V1EnvVar[]): Record<string, string> {
      const party = dataOf("party");
      const own = { KNOWLEDGE: etcd?.url ?? "", POD_NAME: "sidecar-0", DYNAMOS_BROKER: rabbitmq?.url ?? "" };
      const given = env
        .filter(({ name }) => !/^DYNAMOS_(KNOWLEDGE|BROKER)_/.test(name))
        .map(({ name, value, valueFrom }) => [name, value ?? party[valueFrom?.configMapKeyRef?.key ?? ""] ?? ""]);
      return { ...Object.fromEntries(given), ...own, DYNAMOS_APPROVAL_KEYS: approvalEnvironment.approval_keys_file };
    }

    it("becomes ready, serves the queues of its functions, and stops when it is told", async () => {
      const sidecar = workloadsOf(manifests).find(({ manifest }) => manifest.metadata.name === "sidecar");
      const { args = [], env = [] }: Partial<V1Container> = sidecar?.spec.containers[0] ?? {};
      const environment = environmentOf(env);
      const file = join(folder, "functions.json");
      await writeFile(file, dataOf("functions")["functions.json"] ?? "");
      const here = args.map((argument) =>
        argument
          .replace(/\$\((\w+)\)/g, (_, name: string) => environment[name] ?? "")
          .replace("/etc/dynamos/functions/functions.json", file)
          .replace("/var/lib/dynamos", folder)
          .replace("--metrics-port=9464", "--metrics-port=0")
          .replace("0.0.0.0", "127.0.0.1"),
      );
      child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", ...here], {
        cwd: checkout,
        env: { PATH: process.env.PATH, ...environment },
        stdio: ["ignore", "pipe", "ignore"],
      });
      child.stdout?.setEncoding("utf8");
      const [line] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [string];
      const { metrics } = JSON.parse(line) as { metrics: string };
      expect((await fetch(new URL("/readyz", metrics))).status).toBe(200);
      const page = await (await fetch(metrics)).text();
      for (const step of ["sql-query", "sql-anonymize", "sql-algorithm", "sql-graph"]) {
        expect(page).toContain(`dynamos_queue_consumers{party="UVA",queue="uva.${step}"} 1\n`);
      }
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
    }, 90_000);
  },
);
