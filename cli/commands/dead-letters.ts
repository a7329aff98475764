/** `dynamos dead-letters`: what will not be delivered any more, why, and what becomes of it. */
import { type Command, Option } from "commander";
import { connectAmqp } from "#adapters/amqp/broker";
import { jsonLog } from "#adapters/system/log";
import { Envelope } from "#contracts";
import { limits } from "#domain/limits";
import type { HeldDeadLetter } from "#ports/broker";
import { exampleText } from "../print/example-text.ts";
import { textTable } from "../print/text-table.ts";
import { partiesOfStack } from "../stack/parties.ts";
import { queueSettings, queueTypeHelp } from "../system/queue-settings.ts";
import { addBrokerTlsOptions, type BrokerTlsFlags, tlsOf } from "./broker-tls.ts";

interface Flags extends BrokerTlsFlags {
  readonly broker: string;
  readonly stack?: string;
  readonly party?: string;
  readonly queueType?: string;
  readonly queue?: string;
  readonly id?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

type Action = "list" | "show" | "redrive" | "drop";

/** Each with what it does and how it is mostly called. */
const actions: readonly (readonly [Action, string, string])[] = [
  ["list", "one line for each dead letter", "--party UVA"],
  ["show", "all that is known of each dead letter, without its data", "--id QUERY/UVA/0/1"],
  ["redrive", "put them back into the queue that they came from, as if never tried", "--queue uva.sql-query --all"],
  ["drop", "delete them", "--id QUERY/UVA/0/1"],
];

type Write = (text: string) => void;

export function addDeadLettersCommand(
  program: Command,
  write: Write = (text) => void process.stdout.write(text),
): void {
  const group = program.command("dead-letters").description("messages that will not be delivered any more, and why");
  for (const [action, description, flags] of actions) {
    addBrokerTlsOptions(group.command(action))
      .description(description)
      .addOption(new Option("--broker <url>", "amqp://… of the RabbitMQ").env("DYNAMOS_BROKER").makeOptionMandatory())
      .option("--queue-type <type>", queueTypeHelp)
      .option("--party <name>", "of this party only; absent: of all that stack.yml names")
      .option("--stack <file>", "absent: the project's stack.yml")
      .option("--queue <name>", "those from this queue, e.g. uva.sql-query")
      .option("--id <id>", "the message of this id, as `list` prints it")
      .option("--all", "all of them: what redrive and drop ask for when there is no --id")
      .option("--json", "print JSON lines")
      .addHelpText("after", exampleText(`dynamos dead-letters ${action} --broker amqp://… ${flags}`))
      .action((flags: Flags) => run(action, flags, write));
  }
}

async function run(action: Action, flags: Flags, write: Write): Promise<void> {
  if ((action === "redrive" || action === "drop") && flags.id === undefined && !flags.all) {
    throw new Error(`${action} changes what is there: say which one with --id, or --all`);
  }
  const parties = flags.party === undefined ? await partiesOfStack(flags.stack) : [flags.party];
  const found: DeadLetterFacts[] = [];
  let failed = 0;
  const tls = tlsOf(flags);
  for (const party of parties) {
    const broker = await connectAmqp({
      url: flags.broker,
      ...(tls === undefined ? {} : { tls }),
      party,
      log: jsonLog({ level: "warn" }),
      ...queueSettings(process.env, flags.queueType),
    });
    try {
      await broker.visitDeadLetters(limits.deadLettersVisitedMax, async (letter) => {
        if (!isMeant(letter, flags)) return;
        const done = await carryOut(action, letter);
        if (done !== undefined) failed += 1;
        found.push(factsOf(letter, party, done));
      });
    } finally {
      await broker.close();
    }
  }
  write(`${flags.json ? found.map((facts) => JSON.stringify(facts)).join("\n") : text(action, found)}\n`);
  // What was asked for by name and is not there is a failure to scripts.
  process.exitCode = failed > 0 || (flags.id !== undefined && found.length === 0) ? 1 : 0;
}

function isMeant(letter: HeldDeadLetter, { queue, id }: Flags): boolean {
  return (queue === undefined || letter.queue === queue) && (id === undefined || letter.id === id);
}

/** @returns why it could not be done; it is then where it was */
async function carryOut(action: Action, letter: HeldDeadLetter): Promise<string | undefined> {
  if (action === "drop") await letter.drop();
  if (action !== "redrive") return undefined;
  try {
    await letter.redrive();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "unknown";
  }
}

/** What operators may see: where it was, what it was about, never what it carries. */
interface DeadLetterFacts {
  readonly party: string;
  readonly id: string;
  readonly queue: string;
  readonly code: string;
  readonly reason: string;
  readonly tries: number;
  readonly type: string;
  readonly queryId: string;
  readonly bytes: number;
  readonly traceparent?: string;
  readonly step?: string;
  readonly chain?: string;
  readonly hop?: number;
  /** When nobody waits for its query any more. */
  readonly deadline?: string;
  /** Path of the steps that it has passed, as `party step (tries)`. */
  readonly trail?: readonly string[];
  /** Its retries and its end, oldest first. */
  readonly history: readonly string[];
  readonly notDone?: string;
}

function factsOf(letter: HeldDeadLetter, party: string, notDone: string | undefined): DeadLetterFacts {
  const { id, queue, tries, type, queryId, body, traceparent } = letter;
  const [, code = "", reason = letter.reason] = /^([A-Z_]+): (.*)$/s.exec(letter.reason) ?? [];
  return {
    ...{ party, id, queue, code, reason, tries, type, queryId, bytes: body.length },
    ...(traceparent === "" ? {} : { traceparent }),
    ...(type === "envelope" ? envelopeFacts(body) : {}),
    history: letter.history.map(
      ({ atMs, queue: where, reason: why }) => `${new Date(atMs).toISOString()} ${where} ${why}`,
    ),
    ...(notDone === undefined ? {} : { notDone }),
  };
}

function envelopeFacts(body: Uint8Array): Partial<DeadLetterFacts> {
  try {
    const { step, chain, hop, deadlineMs, trail } = Envelope.decode(body);
    if (step === "") return {};
    return {
      step,
      chain: chain?.id ?? "",
      hop,
      deadline: new Date(deadlineMs).toISOString(),
      trail: trail.map((record) => `${record.party} ${record.step} (${record.tries})`),
    };
  } catch {
    return {};
  }
}

function text(action: Action, found: readonly DeadLetterFacts[]): string {
  if (found.length === 0) return "no dead letters";
  if (action === "show") return found.map(shown).join("\n\n");
  const table = textTable(
    {
      columns: [
        { name: "id" },
        { name: "queue" },
        { name: "code" },
        { name: "tries", type: "int32" },
        { name: "bytes", type: "int32" },
        { name: "reason" },
      ],
      rows: found.map(({ id, queue, code, tries, bytes, reason }) => [id, queue, code || "-", tries, bytes, reason]),
    },
    { rowsMax: limits.deadLettersVisitedMax, cellCharsMax: 80 },
  );
  return action === "list" ? table : `${table}\n${summary(action, found)}`;
}

function summary(action: "redrive" | "drop", found: readonly DeadLetterFacts[]): string {
  const bad = found.filter(({ notDone }) => notDone !== undefined);
  const did = action === "redrive" ? "redriven" : "dropped";
  const lines = [`${found.length - bad.length} ${did}`];
  for (const { id, notDone } of bad) lines.push(`${id} stays a dead letter: ${notDone}`);
  const late = found.filter(({ deadline }) => deadline !== undefined && Date.parse(deadline) < Date.now());
  if (action === "redrive" && late.length > 0) {
    lines.push(`${late.length} of them end at once: the deadline of their query has passed`);
  }
  return lines.join("\n");
}

function shown(facts: DeadLetterFacts): string {
  return Object.entries(facts)
    .map(([name, value]) => name.padEnd(12) + (Array.isArray(value) ? value.join(`\n${" ".repeat(12)}`) || "-" : value))
    .join("\n");
}
