/** An explanation as text for people: who allows it, clause by clause, what would run, what a refusal needs. */
import colors from "picocolors";
import type { Called } from "../commands/call-orchestrator.ts";
import { planLines } from "./answer-text.ts";
import { shownText } from "./shown-text.ts";

interface ReasonJson {
  readonly code: string;
  readonly message: string;
}

interface AlternativeJson {
  readonly text: string;
}

interface VerdictJson {
  readonly provider: string;
  readonly allowed: boolean;
  readonly agreementRevision?: number;
  readonly clauses: readonly { name: string; holds: boolean; compared: string; reasons?: readonly ReasonJson[] }[];
  readonly remedies?: readonly { clause: string; alternatives: readonly AlternativeJson[] }[];
  readonly notRun?: readonly ReasonJson[];
}

interface ExplanationJson {
  readonly revision: number;
  readonly allowed: boolean;
  readonly verdicts: readonly VerdictJson[];
  readonly archetypes?: readonly {
    archetype: string;
    providers: readonly string[];
    computeProvider?: string;
    why: string;
    considered: readonly { archetype: string; reason: string }[];
  }[];
  readonly plan?: Parameters<typeof planLines>[0]["plan"];
  readonly reasons?: readonly ReasonJson[];
  readonly remedies?: readonly AlternativeJson[];
}

export function explanationText({ status, body }: Pick<Called, "status" | "body">): string {
  if (status !== 200) return `${colors.red(`${status} ${body.code}`)} ${shownText(String(body.detail))}`;
  const { verdicts, archetypes = [], plan, reasons = [], remedies = [], revision } = body as unknown as ExplanationJson;
  return [
    ...verdicts.flatMap(verdictLines),
    ...archetypes.flatMap(({ archetype, providers, computeProvider, why, considered }) => [
      `${colors.green("would run")} ${colors.bold(archetype)}${computeProvider === undefined ? "" : ` at ${computeProvider}`} for ${providers.join(", ")} ${colors.dim(`(${shownText(why, 400)})`)}`,
      ...considered.map((one) => colors.dim(`  not ${one.archetype}: ${shownText(one.reason, 400)}`)),
    ]),
    ...(plan === undefined ? [] : planLines({ plan })),
    ...(reasons.length === 0 ? [] : [colors.red("nothing would run")]),
    // Where all refuse, each has said why.
    ...(verdicts.some(({ allowed }) => allowed) ? reasons : []).map(
      ({ code, message }) => `  ${code}: ${shownText(message, 400)}`,
    ),
    ...remedies.map(({ text }, index) => `  ${index === 0 ? "it would if" : "or if"} ${shownText(text, 400)}`),
    colors.dim(`by revision ${revision} of the knowledge base`),
  ].join("\n");
}

function verdictLines({ provider, allowed, agreementRevision, clauses, remedies = [], notRun = [] }: VerdictJson) {
  const by = agreementRevision === undefined ? "" : ` by revision ${agreementRevision} of its agreement`;
  const width = Math.max(...clauses.map(({ name }) => name.length));
  return [
    `${colors.bold(provider)} ${allowed ? colors.green("allows it") : colors.yellow("refuses")}${by}`,
    ...clauses.flatMap(({ name, holds, compared, reasons = [] }) => [
      `  ${holds ? colors.green("✔") : colors.yellow("✘")} ${name.padEnd(width)}  ${shownText(compared, 300)}`,
      ...reasons.map(({ message }) => `    ${" ".repeat(width)}  ${colors.yellow(shownText(message, 300))}`),
      ...alternativesOf(name, remedies).map(
        (text, index) =>
          `    ${" ".repeat(width)}  ${colors.dim(index === 0 ? "to change it:" : "or:")} ${shownText(text, 300)}`,
      ),
    ]),
    ...notRun.map(({ code, message }) => `  ${colors.yellow("takes no part")}: ${code}, ${shownText(message, 300)}`),
  ];
}

function alternativesOf(name: string, remedies: NonNullable<VerdictJson["remedies"]>): string[] {
  return remedies
    .filter(({ clause }) => clause === name || (clause === "provider" && name === "relations"))
    .flatMap(({ alternatives }) => alternatives.map(({ text }) => text));
}
