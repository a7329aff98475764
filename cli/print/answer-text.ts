/** An answer of the orchestrator as text for people: what came out, who said no, what ran where, how long it took. */
import colors from "picocolors";
import type { AnsweredQuery } from "../commands/ask.ts";
import { type TextTable, textTable } from "./text-table.ts";

interface ResultJson extends Partial<TextTable> {
  readonly party: string;
  readonly providers: readonly string[];
  readonly archetype: string;
  readonly rowCount?: number;
  readonly remarks?: readonly string[];
  readonly chart?: { readonly svg: string };
  readonly document?: { readonly content: unknown };
}

interface AnswerJson {
  readonly results?: readonly ResultJson[];
  readonly archetypes?: readonly {
    archetype: string;
    providers: readonly string[];
    computeProvider?: string;
    why: string;
  }[];
  readonly verdicts?: readonly {
    provider: string;
    allowed: boolean;
    agreementRevision?: number;
    dataSets?: readonly string[];
    demandedSteps?: readonly string[];
  }[];
  readonly refused?: readonly { provider: string; code: string; reasons: readonly { message: string }[] }[];
  readonly failed?: readonly { party: string; step?: string; code: string; message: string }[];
  readonly plan?: readonly { chain: string; party: string; steps: readonly string[]; gatherAt?: string }[];
  readonly timings?: {
    readonly totalMs: number;
    readonly hops: readonly { party: string; step: string; invokedMs: number }[];
  };
  readonly code?: string;
  readonly detail?: string;
  readonly title?: string;
}

export function answerText({ status, body }: AnsweredQuery): string {
  const answer = body as AnswerJson;
  return [
    ...(status === 200
      ? []
      : [`${colors.red(`${status} ${answer.code ?? ""}`)} ${answer.detail ?? answer.title ?? ""}`]),
    ...(answer.archetypes ?? []).map(choiceLine),
    ...(answer.results ?? []).map(resultText),
    ...(answer.refused ?? []).map(refusedLine),
    ...(answer.failed ?? []).map(failedLine),
    ...verdictLines(answer),
    ...planLines(answer),
    ...timingLines(answer),
  ].join("\n");
}

function choiceLine({
  archetype,
  providers,
  computeProvider,
  why,
}: NonNullable<AnswerJson["archetypes"]>[number]): string {
  const at = computeProvider === undefined ? "" : ` at ${computeProvider}`;
  return `${colors.bold(archetype)}${at} for ${providers.join(", ")} ${colors.dim(`(${why})`)}`;
}

function resultText({ party, providers, rowCount, columns, rows, chart, document, remarks = [] }: ResultJson): string {
  const of = providers.length === 1 && providers[0] === party ? "" : ` over ${providers.join(" and ")}`;
  const count =
    rowCount === undefined ? "" : colors.dim(` ${rowCount.toLocaleString("en")} ${rowCount === 1 ? "row" : "rows"}`);
  return [
    `${colors.green("✔")} ${colors.bold(party)}${of}${count}`,
    ...(columns !== undefined && rows !== undefined ? [textTable({ columns, rows }, { indent: "    " })] : []),
    ...remarks.map((remark) => colors.dim(`    ${remark}`)),
    ...(document === undefined ? [] : [`    ${JSON.stringify(document.content)}`]),
    ...(chart === undefined
      ? []
      : [colors.dim(`    with a chart (SVG, ${chart.svg.length.toLocaleString("en")} bytes)`)]),
  ].join("\n");
}

function refusedLine({ provider, code, reasons }: NonNullable<AnswerJson["refused"]>[number]): string {
  return `${colors.yellow("✘")} ${colors.bold(provider)} refused: ${code}, ${reasons.map(({ message }) => message).join("; ")}`;
}

function failedLine({ party, step, code, message }: NonNullable<AnswerJson["failed"]>[number]): string {
  const where = step === undefined ? party : `${party} ${step}`;
  return `${colors.red("✘")} ${colors.bold(where)} failed: ${code}, ${message}`;
}

function verdictLines({ verdicts = [] }: AnswerJson): string[] {
  const lines = verdicts
    .filter(({ allowed }) => allowed)
    .map(({ provider, agreementRevision, dataSets = [], demandedSteps = [] }) => {
      const demands = demandedSteps.length === 0 ? "" : `, and demands ${demandedSteps.join(", ")}`;
      return colors.dim(
        `  ${provider} allows ${dataSets.join(", ")} by revision ${agreementRevision} of its agreement${demands}`,
      );
    });
  return lines.length === 0 ? [] : [colors.dim("record"), ...lines];
}

export function planLines({ plan }: Pick<AnswerJson, "plan">): string[] {
  if (plan === undefined) return [];
  const partyOf = new Map(plan.map(({ chain, party }) => [chain, party]));
  return [
    colors.dim("plan"),
    ...plan.map(({ party, steps, gatherAt }) => {
      const end = gatherAt === undefined ? "you" : (partyOf.get(gatherAt) ?? gatherAt);
      return colors.dim(`  ${party}: ${steps.join(" → ")} → ${end}`);
    }),
  ];
}

function timingLines({ timings }: AnswerJson): string[] {
  if (timings === undefined) return [];
  const hops = timings.hops.map(({ party, step, invokedMs }) => `${party} ${step} ${invokedMs}`);
  return [colors.dim(`${timings.totalMs} ms: ${hops.join(", ")}`)];
}
