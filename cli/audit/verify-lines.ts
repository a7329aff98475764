/** A verification in words, for who reads a terminal or a log. */
import { isSignedBy, recordDigest } from "#adapters/system/record-crypto";
import { problemText } from "#domain/audit/problem";
import { type ChainHead, type PartyKey, type RecordLine, type Report, Verification } from "#domain/audit/verification";

export interface VerifyOptions {
  readonly keys: readonly PartyKey[] | undefined;
  readonly heads: readonly ChainHead[];
  readonly isSelection: boolean;
}

export async function verifyLines(lines: AsyncIterable<RecordLine>, options: VerifyOptions): Promise<Report> {
  const verification = new Verification({ digest: recordDigest, isSignedBy, ...options });
  for await (const line of lines) verification.take(line);
  return verification.end();
}

/** Whose records they are and what is wrong with them, a line each. */
export function reportText(report: Report, { keys, heads, isSelection }: VerifyOptions): string {
  const { records, chains, problems, problemsInAll, unfinished } = report;
  const rest = problemsInAll - problems.length;
  const known = new Set(heads.map(({ party, instance }) => `${party}/${instance}`));
  const lines = [
    ...problems.map(problemText),
    ...(rest > 0 ? [`and ${rest} more problems`] : []),
    ...unfinished.map(
      ({ party, instance }) =>
        `note: the last line of ${party}/${instance} is not finished, as a crash leaves it: what it was to record did not happen`,
    ),
    ...chains.map(({ party, instance, seq, publicKey }) => {
      const end = known.has(`${party}/${instance}`) || isSelection ? "" : "; its end can't be checked without --head";
      const key = keys === undefined ? `; by its own word of key ${publicKey ?? "(none)"}, see --key` : "";
      return `${party}/${instance}: up to record ${seq}${end}${key}`;
    }),
    problemsInAll === 0
      ? `verified: ${counted(records, "record")} of ${counted(chains.length, "chain")}`
      : `NOT VERIFIED: ${counted(problemsInAll, "problem")} in ${counted(records, "record")}`,
  ];
  return `${lines.join("\n")}\n`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
