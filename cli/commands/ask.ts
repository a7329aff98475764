/** One query to the orchestrator over HTTP. */

/** Where `dynamos up` listens and `dynamos query` asks when nothing else is said. */
export const gatewayDefault = "http://127.0.0.1:8080";

export interface QueryBody {
  /** Absent: the token's. */
  readonly user?: { readonly name: string };
  readonly providers: readonly string[];
  readonly sql: string;
  readonly algorithm?: string | { name: string; column?: string; groupBy?: string[] };
  readonly options?: Readonly<Record<string, boolean>>;
  readonly requestType?: string;
  readonly timeoutMs?: number;
}

export interface Orchestrator {
  /** Of the OpenFaaS gateway before it. */
  readonly gatewayUrl: string;
  /** Of who asks. */
  readonly token: string;
}

export interface AnsweredQuery {
  readonly status: number;
  /** The answer, or the problem document. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws Error with a sentence for people when nobody answers */
export async function ask({ gatewayUrl, token }: Orchestrator, query: QueryBody): Promise<AnsweredQuery> {
  const url = `${gatewayUrl.replace(/\/$/, "")}/function/orchestrator/v1/queries`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(query),
    });
  } catch {
    throw new Error(`nobody answers at ${gatewayUrl}: start the system with \`dynamos up\` or name it with --gateway`);
  }
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    throw new Error(`${url} answered ${response.status} with something that is not JSON: is it an OpenFaaS gateway?`);
  }
}
