/** Whether an answer of 200 is the orchestrator's, and came to its end: proxies may say 200 of less (docs/answers.md). */

/** On every answer to a query, with whether each provider that was allowed is in it. */
const completeHeader = "x-query-complete";
const rowsHeader = "x-query-rows";

export function isAnswer(headers: Headers): boolean {
  return headers.has(completeHeader);
}

export function notAnAnswer(url: string, lacks = completeHeader): Error {
  return new Error(
    `${url} answered 200 without ${lacks}: this is not the orchestrator's answer. See whether it runs, and ask again`,
  );
}

export function brokenDocument(characters: number): Error {
  return new Error(
    `the answer broke off: its JSON has no end after ${characters.toLocaleString("en-US")} characters; ask again`,
  );
}

export interface RowLines {
  /** Whole ones, one row each. */
  readonly lines: readonly string[];
  /** That came with them. */
  readonly bytes: number;
}

/**
 * An answer in NDJSON, as it comes.
 * @throws Error when it is not 200, not the orchestrator's, not complete, or broke off; the last only after its rows
 */
export async function* rowLines(response: Response): AsyncGenerator<RowLines> {
  const { status, headers, url, body } = response;
  if (status !== 200) throw new Error(`${status}: ${(await response.text()).slice(0, 500)}`);
  const announced = headers.get(rowsHeader);
  if (!isAnswer(headers)) throw notAnAnswer(url);
  if (announced === null) throw notAnAnswer(url, rowsHeader);
  if (headers.get(completeHeader) !== "true") throw new Error("a provider failed: the JSON answer names it");
  let [rows, rest] = [0, ""];
  const broken = (cause?: unknown) => {
    const [came, all] = [rows, Number(announced)].map((count) => count.toLocaleString("en-US"));
    return new Error(`the answer broke off: ${came} of ${all} rows came; ask again`, { cause });
  };
  const decoder = new TextDecoder();
  try {
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      rows += lines.length;
      yield { lines, bytes: chunk.byteLength };
    }
  } catch (cause) {
    throw broken(cause);
  }
  if (rest !== "" || rows !== Number(announced)) throw broken();
}
