/** `dynamos up`: the whole system on this machine, until Ctrl-C. */
import type { Command } from "commander";
import colors from "picocolors";
import { exampleText } from "../print/example-text.ts";
import { queueTypeHelp } from "../system/queue-settings.ts";
import { gatewayDefault } from "./ask.ts";
import { recordsFolder, recordsHelp } from "./audit.ts";
import { addBrokerTlsOptions } from "./broker-tls.ts";
import { startInterruptibly, stopOnSignal } from "./stop-on-signal.ts";
import { type SystemFlags, startFromFlags } from "./system-options.ts";

export function addSystemOptions(command: Command): Command {
  return addBrokerTlsOptions(command)
    .option("--broker <url>", "`memory`, or amqp://… of a RabbitMQ", "memory")
    .option("--knowledge <url>", "`memory`, or http(s)://HOST:PORT[,…] of an etcd (see docs/knowledge.md)", "memory")
    .option("--sidecars <how>", "`in-process`, or `processes`: one for each party, over amqp", "in-process")
    .option("--queue-type <type>", queueTypeHelp)
    .option(
      "--datasets <dir>",
      "folder with Table_PARTY.csv files and, if there, the original's JSON configuration; absent: made-up data",
    )
    .option("--stack <file>", "the functions; absent: the project's stack.yml")
    .option("--log-level <level>", "debug, info, warn or error", "warn");
}

export function addUpCommand(program: Command): void {
  addSystemOptions(program.command("up"))
    .description("start the whole system on this machine, until Ctrl-C")
    .option("--port <number>", "of the gateway; 0: a free one", "8080")
    .option("--records <dir>", recordsHelp)
    .option("--no-deploy", "start without functions: faas-cli deploys them, with the password in OPENFAAS_PASSWORD")
    .option("--keys <dir>", "the pair that signs approvals, made where it is not there; absent: of this run")
    .addHelpText(
      "after",
      exampleText(
        "dynamos up                                   made-up data, broker in memory, until Ctrl-C",
        "dynamos up --datasets DIR                    your own CSV files",
        "dynamos up --broker amqp://… --sidecars processes",
        "dynamos up --knowledge http://127.0.0.1:2379  agreements outlive it, in an etcd",
        "OPENFAAS_PASSWORD=… dynamos up --no-deploy --keys keys     deploy with faas-cli (see README.md)",
        "then, in another terminal: dynamos query …   (more in docs/running.md)",
      ),
    )
    .action(async (flags: SystemFlags) => {
      const running = await startInterruptibly(() =>
        startFromFlags({ ...flags, records: recordsFolder(flags.records) }, (stage) =>
          process.stderr.write(colors.dim(`${stage}\n`)),
        ),
      );
      const { url } = running.system;
      process.stdout.write(flags.deploy === false ? `ready at ${colors.bold(url)} for faas-cli\n` : readyText(url));
      await stopOnSignal(running.stop);
    });
}

export function readyText(url: string): string {
  const gatewayFlag = url === gatewayDefault ? "" : `--gateway ${url} `;
  return [
    `ready at ${colors.bold(url)} (Ctrl-C stops it)`,
    colors.dim(`  ask:      dynamos query ${gatewayFlag}--providers UVA,VU --algorithm average \\`),
    colors.dim(
      '              --sql "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s USING (Unieknr, Peildat)"',
    ),
    colors.dim(`  or POST:  ${url}/function/orchestrator/v1/queries`),
    colors.dim('            -H "authorization: Bearer $(dynamos token)"'),
    "",
  ].join("\n");
}
