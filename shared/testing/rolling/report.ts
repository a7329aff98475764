/** What a stream of queries came to, for people. */
import type { StreamTally } from "./stream.ts";

export const say = (line: string) => void process.stdout.write(`${line}\n`);

/** @returns whether none failed, and some were right */
export function report({ right, failed, askedAgain, slowestMs }: StreamTally): boolean {
  const count = Object.values(right).reduce((sum, one) => sum + one, 0);
  say(`${count} queries right: ${JSON.stringify(right)}; the slowest took ${slowestMs} ms`);
  sayAll("asked again", askedAgain);
  sayAll("failed", failed);
  return failed.length === 0 && count > 0;
}

export function sayAll(title: string, lines: readonly string[]): void {
  say(`${lines.length} ${title}`);
  for (const line of lines) say(`  ${line}`);
}
