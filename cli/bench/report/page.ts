/** docs/performance.md and its pictures, from the parts of a run and the fixed text of page.md. */
import { type BenchResult, type BenchTable, cellText } from "../bench-result.ts";
import { judgedGoals } from "./goals.ts";
import type { Machine, Quiet } from "./machine.ts";
import { plotAlt, plotSvg } from "./plot-svg.ts";

export interface Part {
  readonly name: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly quick: boolean;
  readonly before: Quiet;
  readonly after: Quiet;
  readonly result?: BenchResult;
  /** Of a part that prints its table itself, and how many of its answers were wrong. */
  readonly text?: string;
  readonly wrong?: number;
  /** Why there is no result. */
  readonly failure?: string;
}

export interface Report {
  readonly page: string;
  /** By file name. */
  readonly pictures: Readonly<Record<string, string>>;
}

export function wrongIn({ result, wrong = 0 }: Part): number {
  return result?.wrong ?? wrong;
}

/** Above it somebody else had a part of the processors. */
const quietWaitingMax = 0.1;

/** @param template with `{{machine}}`, `{{goals}}`, `{{noise}}` and `{{part NAME}}`; what it does not name comes last */
export function reportOf(parts: readonly Part[], machine: Machine, template: string): Report {
  const figures = Object.fromEntries(parts.map(({ name, result }) => [name, result?.figures ?? {}]));
  const named = new Set<string>();
  const sections = (_: string, name: string) => {
    named.add(name);
    const part = parts.find((one) => one.name === name);
    return part === undefined ? "Not measured in this run." : sectionOf(part);
  };
  const filled = template
    .replace("{{machine}}", () => machineText(machine, parts))
    .replace("{{goals}}", () => tableText(goalsTable(figures)))
    .replace("{{noise}}", () => tableText(noiseTable(parts)))
    .replace(/\{\{part ([a-z-]+)\}\}/g, sections);
  const others = parts
    .filter(({ name }) => !named.has(name))
    .map((part) => `## ${part.result?.title ?? part.name}\n\n${sectionOf(part)}`);
  const plots = parts.flatMap(({ result }) => result?.plots ?? []);
  return {
    page: `${[filled.trimEnd(), ...others].join("\n\n")}\n`,
    pictures: Object.fromEntries(plots.map((plot) => [`${plot.name}.svg`, `${plotSvg(plot)}\n`])),
  };
}

function machineText(machine: Machine, parts: readonly Part[]): string {
  const { processor, processors, memoryGib, kernel, node, rabbitmq } = machine;
  const days = [...new Set(parts.map(({ startedAt }) => startedAt.slice(0, 10)))].sort().join(", ");
  const minutes = parts.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const quick = parts.some((part) => part.quick)
    ? "\n\n**A quick run**: fewer rounds and smaller tables, to see whether the benches work. Its figures are rough."
    : "";
  return `${processor}, ${processors} processors, ${memoryGib.toFixed(0)} GiB, Linux ${kernel}, Node ${node}, ${rabbitmq === undefined ? "no RabbitMQ" : `RabbitMQ ${rabbitmq} on the same machine`}. Measured on ${days || "no day"}, in ${minutes.toFixed(0)} minutes.${quick}`;
}

function goalsTable(figures: Parameters<typeof judgedGoals>[0]): BenchTable {
  const rows = judgedGoals(figures).map(({ what, seen, verdict }) => [what, seen, verdict]);
  return { title: "", columns: ["goal", "seen", "reached or not"], rows };
}

function noiseTable(parts: readonly Part[]): BenchTable {
  const percent = (share: number | undefined) => (share === undefined ? "–" : `${(share * 100).toFixed(0)} %`);
  const both = (of: (quiet: Quiet) => string, { before, after }: Part) => `${of(before)}, ${of(after)}`;
  return {
    title: "",
    columns: ["part", "minutes", "load", "waited for a processor", "fixed loop ms", "its spread", "remark"],
    rows: parts.map((part) => [
      part.name,
      (part.seconds / 60).toFixed(1),
      both(({ load }) => load.toFixed(1), part),
      both(({ waiting }) => percent(waiting), part),
      both(({ loopMs }) => loopMs.toFixed(1), part),
      both(({ loopSpread }) => percent(loopSpread), part),
      (part.before.waiting ?? 0) > quietWaitingMax ? "not quiet at its start" : "",
    ]),
  };
}

function sectionOf(part: Part): string {
  const { result, text = "", failure } = part;
  if (failure !== undefined) return `**Failed**: ${failure}`;
  const wrong =
    wrongIn(part) === 0 ? [] : [`**${wrongIn(part)} answers were wrong**: the figures of those ways do not count.`];
  if (result === undefined) return [...wrong, `\`\`\`\n${text}\n\`\`\``].join("\n\n");
  const tables = result.tables.map((table) => [
    ...(table.title === "" ? [] : [`**${table.title}**`]),
    tableText(table),
  ]);
  const pictures = result.plots.map((plot) => `![${plotAlt(plot)}](performance/${plot.name}.svg)`);
  const remarks = result.remarks.map((remark) => `- ${remark}`).join("\n");
  return [
    result.about,
    ...wrong,
    ...tables.flat(),
    ...pictures,
    ...(remarks === "" ? [] : [remarks]),
    `What limits it: ${result.limit}`,
  ].join("\n\n");
}

function tableText({ columns, rows }: BenchTable): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const isNumber = columns.map((_, at) => rows.some((row) => typeof row[at] === "number"));
  const rule = `|${isNumber.map((number) => (number ? "---:" : "---")).join("|")}|`;
  return [line(columns), rule, ...rows.map((row) => line(columns.map((_, at) => cellText(row[at] ?? null))))].join(
    "\n",
  );
}
