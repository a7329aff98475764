/** One query whose rows are read as they come. */
import type { Orchestrator, QueryBody } from "../commands/ask.ts";

export interface Downloaded {
  readonly rows: number;
  /** Of the column `id`. */
  readonly idSum: number;
  readonly bytes: number;
  /** From the request to the first whole row. */
  readonly firstMs: number;
  readonly wholeMs: number;
}

const wholeMsMax = 150_000;

/** @throws Error when the answer is not 200, not whole, or a line is no row */
export async function downloadRows({ gatewayUrl, token }: Orchestrator, query: QueryBody): Promise<Downloaded> {
  const startedAt = performance.now();
  const response = await fetch(`${gatewayUrl}/function/orchestrator/v1/queries`, {
    method: "POST",
    headers: {
      accept: "application/x-ndjson",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(query),
    signal: AbortSignal.timeout(wholeMsMax),
  });
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${response.status}: ${(await response.text()).slice(0, 500)}`);
  }
  if (response.headers.get("x-query-complete") === "false") throw new Error("a provider failed");
  let [rows, sum, bytes, firstMs, rest] = [0, 0, 0, Number.NaN, ""];
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      sum += Number((JSON.parse(line) as { id: unknown }).id);
      if (rows === 0) firstMs = performance.now() - startedAt;
      rows += 1;
    }
  }
  return { rows, idSum: sum, bytes, firstMs, wholeMs: performance.now() - startedAt };
}
