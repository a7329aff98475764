/** One query as its records tell it: who decided, ran and released what, when, by which rule and revision. */
import type { RecordLine } from "#domain/audit/verification";
import { fieldsOf } from "./stored-records.ts";

type Fields = Readonly<Record<string, unknown>>;

export const storyColumns = ["time", "party", "what", "detail", "agreements", "contents", "code"] as const;

/** Rows for a table, in the order of time; each party's clock is its own. */
export async function queryStory(lines: AsyncIterable<RecordLine>, queryId: string): Promise<string[][]> {
  const records: Fields[] = [];
  for await (const { text } of lines) {
    const fields = fieldsOf(text);
    if (fields.queryId === queryId) records.push(fields);
  }
  return records
    .sort((a, b) => Number(a.atMs) - Number(b.atMs) || Number(a.seq) - Number(b.seq))
    .map((record) => [
      new Date(Number(record.atMs)).toISOString(),
      String(record.party),
      whatOf(record),
      detailOf(record),
      listOf(record.agreements)
        .map(({ provider, revision }) => `${provider}@${revision}`)
        .join(" "),
      contentsOf(record),
      codeOf(record),
    ]);
}

function whatOf({ kind, allowed, what, attempt }: Fields): string {
  const words = kind === "decision" ? (allowed === true ? "allowed" : "refused") : String(kind);
  const named = typeof what === "string" ? `${words} ${what}` : words;
  return attempt === 1 || attempt === undefined ? named : `${named} (attempt ${attempt})`;
}

function detailOf(record: Fields): string {
  switch (record.kind) {
    case "decision":
      return `${record.provider} by ${rulesText(record)}`;
    case "refusal":
      return `${record.step} by ${rulesText(record)}`;
    case "failure":
      return `${record.step} with ${record.failure}`;
    case "plan":
      return listOf(record.choices)
        .map(({ archetype, why }) => `${archetype}: ${why}`)
        .join("; ");
    case "release":
      return record.of === undefined ? `to ${record.to}` : `to ${record.to}, since ${earlierText(record)}`;
    case "reuse":
      return `answered with what came of ${earlierText(record)}`;
    case "step":
      return `${record.step}, hop ${record.hop} of ${record.chain === "" ? "control" : record.chain}, ${record.ms} ms`;
    default:
      return String(record.chain ?? "");
  }
}

function earlierText({ of }: Fields): string {
  const { queryId, answeredAtMs } = of as Fields;
  return `${queryId} of ${new Date(Number(answeredAtMs)).toISOString()}`;
}

function rulesText({ rules }: Fields): string {
  return listOf(rules)
    .map(({ code, clause }) => [code, clause].filter((part) => part !== "").join(" "))
    .join(", ");
}

function contentsOf({ contents, parts }: Fields): string {
  const all = [...listOf(contents), ...listOf(parts).flatMap((part) => listOf(part.contents))];
  return all
    .map(({ what, rows, sha256 }) => `${what === "table" ? `${rows} rows` : what} ${String(sha256).slice(0, 12)}`)
    .join(", ");
}

function codeOf({ code }: Fields): string {
  const { sidecar = "", function: ran = "" } = (code ?? {}) as Fields;
  return [sidecar, ran]
    .map((version) => String(version).slice(0, 12))
    .filter((version) => version !== "")
    .join(" ");
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value : [];
}
