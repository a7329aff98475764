/** What flips under a changed agreement, as text for people. */
import colors from "picocolors";
import { shownText } from "./shown-text.ts";

interface PositionJson {
  readonly archetype?: string;
  readonly computeProvider?: string;
  readonly reasons?: readonly { readonly code: string; readonly message: string }[];
  readonly [term: string]: unknown;
}

interface ChangeJson {
  readonly provider: string;
  readonly kind: string;
  readonly before: PositionJson;
  readonly after: PositionJson;
}

interface ComparedJson {
  readonly agreement: string;
  readonly requests: number;
  readonly revision: number;
  readonly flips: readonly {
    readonly request: number;
    readonly user?: string;
    readonly changes: readonly ChangeJson[];
  }[];
}

export function flipsText({ agreement, requests, revision, flips }: ComparedJson, asked: readonly unknown[]): string {
  const head = `${flips.length} of ${requests} requests flip under the new agreement of ${agreement}`;
  return [
    flips.length === 0 ? colors.green(head) : colors.yellow(head),
    ...flips.flatMap(({ request, user = "", changes }) => [
      `${colors.bold(`request ${request + 1}`)} of ${shownText(user)} to ${providersOf(asked[request])}`,
      ...changes.map((change) => `  ${change.provider}: ${wordsOf(change)}`),
    ]),
    colors.dim(`compared with revision ${revision} of the knowledge base`),
  ].join("\n");
}

function wordsOf({ kind, before, after }: ChangeJson): string {
  switch (kind) {
    case "allowed":
      return colors.green(`is allowed now, ${placeOf(after)}`);
    case "refused":
      return colors.red(
        `is refused now: ${shownText((after.reasons ?? []).map(({ message }) => message).join("; "), 300)}`,
      );
    case "terms":
      return `other terms: ${termsThatDiffer(before, after).join("; ")}`;
    default:
      return `${placeOf(before)} becomes ${placeOf(after)}`;
  }
}

function placeOf({ archetype = "nothing", computeProvider }: PositionJson): string {
  return computeProvider === undefined ? archetype : `${archetype} at ${computeProvider}`;
}

function termsThatDiffer(before: PositionJson, after: PositionJson): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !["runs", "allowed", "reasons"].includes(name))
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => shownText(`${name} ${textOf(before[name])} becomes ${textOf(after[name])}`));
}

function textOf(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}

function providersOf(request: unknown): string {
  const { providers } = request as { providers?: readonly string[] };
  return shownText((providers ?? []).join(", "));
}
