/** The history of a document as text for people. */
import colors from "picocolors";
import { shownText } from "./shown-text.ts";

interface ChangeJson {
  readonly revision: number;
  readonly author?: string;
  readonly role?: string;
  readonly time?: string;
  readonly change: "put" | "delete";
  readonly previousRevision?: number;
  readonly differences?: readonly DifferenceJson[];
  readonly differenceCount?: number;
}

interface DifferenceJson {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const linesMax = 20;

export function historyText(body: Readonly<Record<string, unknown>>): string {
  const { changes = [], next } = body as { changes?: readonly ChangeJson[]; next?: number };
  const lines = changes.flatMap((change) => [headLine(change), ...differenceLines(change)]);
  return [...lines, ...(next === undefined ? [] : [colors.dim(`older ones: --before ${next}`)])].join("\n");
}

function headLine({ revision, author, role, time, change, previousRevision }: ChangeJson): string {
  const what = change === "delete" ? "deleted" : previousRevision === undefined ? "created" : "changed";
  const by =
    author === undefined ? "before its first change over HTTP" : `by ${shownText(author)} (${role}) at ${time}`;
  return `${colors.bold(`revision ${revision}`)} ${what} ${by}`;
}

function differenceLines({ differences = [], differenceCount = differences.length }: ChangeJson): string[] {
  const rest = differenceCount - Math.min(linesMax, differences.length);
  return [
    ...differences.slice(0, linesMax).map(differenceLine),
    ...(rest > 0 ? [colors.dim(`  … and ${rest} more`)] : []),
  ];
}

export function differenceLine({ op, path, value }: DifferenceJson): string {
  const sign = { add: "+", remove: "-" }[op] ?? "~";
  return `  ${sign} ${shownText(path)}${op === "remove" ? "" : ` ${shownText(JSON.stringify(value))}`}`;
}
