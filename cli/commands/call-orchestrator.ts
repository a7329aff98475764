/** One request to the orchestrator over HTTP. */
import { brokenDocument, isAnswer } from "./whole-answer.ts";

/** Where `dynamos up` listens and commands ask when nothing else is said. */
export const gatewayDefault = "http://127.0.0.1:8080";

export interface Orchestrator {
  /** Of the OpenFaaS gateway before it. */
  readonly gatewayUrl: string;
  /** Of who asks. */
  readonly token: string;
}

export interface Called {
  readonly status: number;
  /** The answer, or the problem document. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param path below `/v1/`. @throws Error with a sentence for people when nobody answers */
export async function callOrchestrator(
  { gatewayUrl, token }: Orchestrator,
  method: string,
  path: string,
  { body, headers = {} }: CallOptions = {},
): Promise<Called> {
  const url = `${gatewayUrl.replace(/\/$/, "")}/function/orchestrator/v1/${path}`;
  const type = body === undefined ? {} : { "content-type": "application/json" };
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: { ...type, authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error(`nobody answers at ${gatewayUrl}: start the system with \`dynamos up\` or name it with --gateway`);
  }
  const { status, headers: received } = response;
  const text = await response.text().catch((cause: unknown) => {
    throw new Error(`the answer of ${url} broke off; ask again`, { cause });
  });
  try {
    return { status, body: JSON.parse(text), headers: received };
  } catch {
    if (isAnswer(received)) throw brokenDocument(text.length);
    throw new Error(`${url} answered ${status} with something that is not JSON: is it an OpenFaaS gateway?`);
  }
}
