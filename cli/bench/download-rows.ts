/** One query whose rows are read as they come. */
import type { Orchestrator, QueryBody } from "../commands/ask.ts";
import { rowLines } from "../commands/whole-answer.ts";

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

/**
 * @param prefer as the header
 * @throws Error as `rowLines`, when a line is no row, and when what is preferred is passed over
 */
export async function downloadRows(
  { gatewayUrl, token }: Orchestrator,
  query: QueryBody,
  prefer = "",
): Promise<Downloaded> {
  const startedAt = performance.now();
  const response = await fetch(`${gatewayUrl}/function/orchestrator/v1/queries`, {
    method: "POST",
    headers: {
      accept: "application/x-ndjson",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(prefer === "" ? {} : { prefer }),
    },
    body: JSON.stringify(query),
    signal: AbortSignal.timeout(wholeMsMax),
  });
  const applied = response.headers.get("preference-applied") ?? "";
  if (response.status === 200 && applied !== prefer)
    throw new Error(`"${prefer}" was preferred, and "${applied}" applied`);
  let [rows, sum, bytes, firstMs] = [0, 0, 0, Number.NaN];
  for await (const { lines, bytes: more } of rowLines(response)) {
    bytes += more;
    for (const line of lines) {
      sum += Number((JSON.parse(line) as { id: unknown }).id);
      if (rows === 0) firstMs = performance.now() - startedAt;
      rows += 1;
    }
  }
  return { rows, idSum: sum, bytes, firstMs, wholeMs: performance.now() - startedAt };
}
