/** `dynamos queues`: how full the queues of a broker are, and who takes from them. */

import { type Command, Option } from "commander";
import { brokerUrls } from "#adapters/amqp/addresses";
import { readManagedQueues } from "#adapters/amqp/management";
import { type QueueFigures, readQueues } from "#adapters/amqp/queue-figures";
import { exampleText } from "../print/example-text.ts";
import { textTable } from "../print/text-table.ts";
import { queuesOfStack } from "../stack/queues.ts";
import { addBrokerTlsOptions, type BrokerTlsFlags, tlsOf } from "./broker-tls.ts";

interface Flags extends BrokerTlsFlags {
  readonly broker: string;
  readonly management?: string;
  readonly stack?: string;
  readonly party?: string;
  readonly peek?: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
}

type Write = (text: string) => void;

export function addQueuesCommand(program: Command, write: Write = (text) => void process.stdout.write(text)): void {
  addBrokerTlsOptions(program.command("queues"))
    .description("depth, oldest message, consumers and redeliveries of each queue")
    .addOption(new Option("--broker <url>", "amqp://… of the RabbitMQ").env("DYNAMOS_BROKER").makeOptionMandatory())
    .addOption(
      new Option(
        "--management <url>",
        "http://USER:PASSWORD@HOST:15672, for what AMQP can't tell; its user defaults to the broker's",
      ).env("DYNAMOS_MANAGEMENT"),
    )
    .option("--stack <file>", "names the queues where there is no --management; absent: the project's stack.yml")
    .option("--party <name>", "of this party only")
    .option("--peek", "take the oldest message for a moment to see its age; it is then marked as redelivered")
    .option("--all", "also the queues of waiting retries that are empty")
    .option("--json", "print JSON lines")
    .addHelpText(
      "after",
      exampleText(
        "dynamos queues --broker amqp://… --party UVA",
        "dynamos queues --broker amqp://… --management http://127.0.0.1:15672 --peek",
      ),
    )
    .action(async (flags: Flags) => {
      const found = (await read(flags)).filter(({ name }) => isOf(name, flags.party));
      const queues = found.filter(({ name, ready }) => flags.all || ready > 0 || !/\.retry\.\d+$/.test(name));
      const now = Date.now();
      write(flags.json ? queues.map((queue) => `${jsonOf(queue, now)}\n`).join("") : text(queues, now));
    });
}

async function read({ broker, management, stack, peek = false, ...flags }: Flags): Promise<QueueFigures[]> {
  const tls = tlsOf(flags);
  const { steps, others } = await queuesOfStack(stack);
  const overAmqp = async () => {
    const found = await readQueues({ url: broker, tls, names: [...steps, ...others], peek });
    const names = new Set(found.map(({ name }) => name));
    for (const step of steps) {
      if (!names.has(step)) process.stderr.write(`there is no queue ${step}: its party's sidecar was never there\n`);
    }
    return found;
  };
  if (management === undefined) return overAmqp();
  const managed = await readManagedQueues(withUserOf(broker, management), vhostOf(broker));
  // Counted this moment, where the management API counts every five seconds.
  const now = await readQueues({ url: broker, tls, names: managed.map(({ name }) => name), peek });
  const nowByName = new Map(now.map((queue) => [queue.name, queue]));
  return managed.map((queue) => ({ ...queue, ...nowByName.get(queue.name) }));
}

function withUserOf(broker: string, management: string): string {
  const url = new URL(management);
  if (url.username === "") ({ username: url.username, password: url.password } = nodeOf(broker));
  return url.toString();
}

/** Of a cluster's nodes the first: user and vhost are the same in all. */
function nodeOf(broker: string): URL {
  return new URL(brokerUrls(broker)[0] ?? "");
}

/** amqp URI scheme: no path is the virtual host `/`. */
function vhostOf(broker: string): string {
  return decodeURIComponent(nodeOf(broker).pathname.slice(1)) || "/";
}

function isOf(name: string, party: string | undefined): boolean {
  return party === undefined || name.split(".").includes(party.toLowerCase());
}

function jsonOf(
  { name, ready, consumers, unacknowledged, redeliveries, oldestAtMs }: QueueFigures,
  now: number,
): string {
  const oldestMs = oldestAtMs === undefined ? null : Math.max(0, now - oldestAtMs);
  // null: not known.
  return JSON.stringify({
    ...{ name, ready, consumers, oldestMs },
    unacknowledged: unacknowledged ?? null,
    redeliveries: redeliveries ?? null,
  });
}

function text(queues: readonly QueueFigures[], now: number): string {
  if (queues.length === 0) return "no queues\n";
  const count = (value: number | undefined) => value ?? "?";
  const rows = queues.map(({ name, ready, unacknowledged, consumers, redeliveries, oldestAtMs }) => [
    name,
    ready,
    count(unacknowledged),
    consumers,
    count(redeliveries),
    oldestAtMs === undefined ? (ready === 0 ? "-" : "?") : ageText(now - oldestAtMs),
  ]);
  const number = (name: string) => ({ name, type: "int32" });
  const columns = [
    ...[{ name: "queue" }, number("ready"), number("unacked"), number("consumers"), number("redelivered")],
    number("oldest"),
  ];
  const unknown = rows.some((row) => row.includes("?"))
    ? "?: AMQP does not tell; --management URL knows unacked and redelivered, --peek the oldest message's age\n"
    : "";
  return `${textTable({ columns, rows }, { rowsMax: rows.length, cellCharsMax: 100 })}\n${unknown}`;
}

/** `< 1 s`, `12 s`, `5 min`, `3 h`. Published by a clock elsewhere: never below zero. */
function ageText(ageMs: number): string {
  if (ageMs < 1_000) return "< 1 s";
  if (ageMs < 120_000) return `${Math.round(ageMs / 1_000)} s`;
  if (ageMs < 7_200_000) return `${Math.round(ageMs / 60_000)} min`;
  return `${Math.round(ageMs / 3_600_000)} h`;
}
