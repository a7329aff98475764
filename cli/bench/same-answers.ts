/** Whether an answer is whole, and holds what every other answer to its question held. */
import type { AnsweredQuery } from "../commands/ask.ts";

interface ResultJson {
  readonly rows?: readonly unknown[];
  readonly columns?: readonly { readonly name: string }[];
}

/** The first whole answer with rows says what the others must hold. */
export function sameAnswers(): (question: string, answer: AnsweredQuery) => boolean {
  const expected = new Map<string, string>();
  return (question, { status, body }) => {
    const results = (body.results ?? []) as readonly ResultJson[];
    const isWhole = status === 200 && body.complete === true && results.length > 0;
    if (!isWhole || !results.every(({ rows }) => rows !== undefined && rows.length > 0)) return false;
    const held = JSON.stringify(results.map(({ columns, rows }) => [columns?.map(({ name }) => name), rows]));
    if (!expected.has(question)) expected.set(question, held);
    return expected.get(question) === held;
  };
}
