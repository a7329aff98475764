/** `dynamos sidecar`: one party's sidecar as a process of its own. */
import { resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Command, Option } from "commander";
import { connectAmqp } from "#adapters/amqp/broker";
import { createPrometheus } from "#adapters/prometheus/metrics";
import { jsonLog } from "#adapters/system/log";
import { readApprovalKeys } from "#approval/approval-keys";
import { limits } from "#domain/limits";
import { version } from "#domain/version";
import type { LogLevel } from "#ports/log";
import { serveSidecar } from "#sidecar/grpc-server";
import type { Sidecar } from "#sidecar/start-sidecar";
import { exampleText } from "../print/example-text.ts";
import { type Readiness, serveMetrics } from "../system/metrics-page.ts";
import { knowledgeVariablesHelp, openKnowledge } from "../system/open-knowledge.ts";
import { type PartySidecarOptions, startPartySidecar } from "../system/party-sidecar.ts";
import { queueDepths } from "../system/queue-depths.ts";
import { queueSettings, queueTypeHelp } from "../system/queue-settings.ts";
import { removeStaleSocket } from "../system/stale-socket.ts";
import { stoppableRequests } from "../system/stoppable-requests.ts";
import { recordsFolder, recordsHelp } from "./audit.ts";
import { addBrokerTlsOptions, type BrokerTlsFlags, tlsOf } from "./broker-tls.ts";
import { wholeNumber } from "./whole-number.ts";

interface SidecarFlags extends BrokerTlsFlags {
  readonly party: string;
  readonly broker: string;
  readonly knowledge: string;
  readonly gateway?: string;
  readonly functions?: string;
  readonly gatewayUser?: string;
  readonly gatewayPassword?: string;
  readonly queueType?: string;
  readonly listen: string;
  readonly instance?: string;
  readonly approvalKeys: string;
  readonly records?: string;
  readonly recordKey?: string;
  readonly exchangeParty: string;
  readonly metricsPort?: string;
  readonly metricsHost: string;
  readonly drain: string;
  readonly logLevel: LogLevel;
}

export function addSidecarCommand(program: Command): void {
  addBrokerTlsOptions(program.command("sidecar"))
    .description("run one party's sidecar: it alone speaks to the broker, and it calls the party's functions")
    .requiredOption("--party <name>", "whose sidecar it is, e.g. UVA")
    .addOption(new Option("--broker <url>", "amqp://… of the RabbitMQ").env("DYNAMOS_BROKER").makeOptionMandatory())
    .requiredOption(
      "--knowledge <address>",
      "http(s)://HOST:PORT[,…] of an etcd; grpc://HOST:PORT or unix:///PATH of the sidecar that has it; `memory`: this one has it",
    )
    .addOption(new Option("--gateway <url>", "the party's OpenFaaS gateway").env("OPENFAAS_URL"))
    .option("--functions <file>", "in place of a gateway: JSON that says at which address each step is")
    .addOption(new Option("--gateway-user <name>", "of the gateway, where it asks for one").env("OPENFAAS_USER"))
    .addOption(new Option("--gateway-password <password>", "better in the environment").env("OPENFAAS_PASSWORD"))
    .addOption(
      new Option("--approval-keys <file>", "JWKS with the public keys of the policy-enforcer")
        .env("DYNAMOS_APPROVAL_KEYS")
        .makeOptionMandatory(),
    )
    .option("--queue-type <type>", queueTypeHelp)
    .option("--listen <address>", "of its own gRPC: 127.0.0.1:PORT (0: a free one) or unix:///PATH", "127.0.0.1:0")
    .option("--instance <id>", "unique among all sidecars; absent: a random one")
    .option("--records <dir>", recordsHelp)
    .option(
      "--record-key <file>",
      "private key in PEM that signs the record, made where there is none; absent: beside it",
    )
    .option("--exchange-party <name>", "the party that hosts the control steps", "exchange")
    .option("--metrics-port <port>", "serve GET /metrics for Prometheus; 0: a free port; absent: no metrics")
    .option("--metrics-host <host>", "where to listen for it", "127.0.0.1")
    .option(
      "--drain <ms>",
      "how long open requests and hops in hand may last after SIGTERM",
      String(limits.drainMsDefault),
    )
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .addHelpText(
      "after",
      exampleText(
        "DYNAMOS_BROKER=amqp://… dynamos sidecar --party UVA --knowledge grpc://exchange.example:7070 \\",
        "  --gateway http://127.0.0.1:8081 --approval-keys approval-keys --metrics-port 9100",
        "",
        ...knowledgeVariablesHelp.split("\n"),
        "",
        "One line of JSON on standard output says that it is ready. More in docs/running.md and docs/knowledge.md",
      ),
    )
    .action((flags: SidecarFlags) => run(flags).catch(end));
}

/** What is open by then (the knowledge base's connection, the metrics) would keep the process. */
function end(error: unknown): never {
  process.stderr.write(`error ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function run(flags: SidecarFlags): Promise<void> {
  const { party, exchangeParty, instance } = flags;
  const drainMs = wholeNumber("--drain", flags.drain, { min: 0, max: 600_000 });
  const log = jsonLog({ level: flags.logLevel });
  const gateway = gatewayOf(flags);
  const prometheus = createPrometheus();
  let missing: Readiness = () => ["starting"];
  const metrics =
    flags.metricsPort === undefined
      ? undefined
      : await serveMetrics(
          prometheus,
          flags.metricsHost,
          wholeNumber("--metrics-port", flags.metricsPort, { min: 0, max: 65_535 }),
          () => missing(),
        );
  const approvalKeys = await readApprovalKeys(flags.approvalKeys);
  const tls = tlsOf(flags);
  const knowledge = openKnowledge(flags.knowledge, process.env);
  const broker = await connectAmqp({
    url: flags.broker,
    ...(tls === undefined ? {} : { tls }),
    party,
    log,
    ...queueSettings(process.env, flags.queueType),
  });
  const requests = stoppableRequests(
    await startPartySidecar({
      party,
      exchangeParty,
      ...(instance === undefined ? {} : { instance }),
      broker,
      knowledge,
      approvalKeys,
      gateway,
      log,
      records: { folder: resolve(recordsFolder(flags.records)), keyFile: flags.recordKey },
      metrics: { of: prometheus.forParty(party), queues: queueDepths(flags.broker, party, tls) },
    }),
  );
  await removeStaleSocket(flags.listen);
  const grpc = await serveSidecar(requests.sidecar, flags.listen);
  const ready = { event: "ready", party, version, grpc: grpc.address, metrics: metrics?.url, pid: process.pid };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  missing = () => missingOf(requests.sidecar);

  const reason = await stopAsked();
  missing = () => ["stopping"];
  log.log("info", "stopping", { party, reason });
  // Whatever hangs then is given up: the broker gives its messages to the next one.
  setTimeout(() => process.exit(1), drainMs + stopMsMax).unref();
  const calls = grpc.drain();
  const drained = [requests.drained(drainMs), requests.sidecar.drain()];
  // Who has its knowledge base here watches it to the end.
  if (flags.knowledge !== "memory") drained.push(calls);
  await Promise.race([Promise.all(drained), wait(drainMs, undefined, { ref: false })]);
  await requests.end();
  await requests.sidecar.stop();
  await grpc.stop();
  await knowledge.close();
  await metrics?.close();
  process.exit(0);
}

/** After the drain: for hops in hand, whose queries are cancelled by then or go on elsewhere. */
const stopMsMax = 5_000;

/** A parent that goes away counts as a signal. */
function stopAsked(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve(signal));
    process.once("disconnect", () => resolve("the parent process went away"));
  });
}

/** Its functions were listed when it started; a gateway that is away later is named in each answer, so work may come. */
function missingOf({ status }: Sidecar): string[] {
  const { broker, inKnowledge } = status();
  return [
    ...(broker.kind === "connected" ? [] : [`broker: ${broker.kind}`]),
    ...(inKnowledge ? [] : ["knowledge base: this sidecar has lost its place in it"]),
  ];
}

function gatewayOf({ gateway, functions, gatewayUser, gatewayPassword }: SidecarFlags): PartySidecarOptions["gateway"] {
  if (functions !== undefined) {
    if (gateway !== undefined) throw new Error("--functions: takes the place of --gateway and OPENFAAS_URL; give one");
    return { functionsFile: functions };
  }
  if (gateway === undefined) throw new Error("--gateway or --functions must say where the party's functions are");
  if (gatewayPassword === undefined) return { gatewayUrl: gateway };
  return { gatewayUrl: gateway, auth: { user: gatewayUser ?? "admin", password: gatewayPassword } };
}
