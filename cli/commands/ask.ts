/** One query to the orchestrator over HTTP. */
import { type Called, callOrchestrator, type Orchestrator } from "./call-orchestrator.ts";
import { isAnswer, notAnAnswer } from "./whole-answer.ts";

export { gatewayDefault, type Orchestrator } from "./call-orchestrator.ts";

export interface QueryBody {
  /** Absent: the token's. */
  readonly user?: { readonly name: string };
  readonly providers: readonly string[];
  readonly sql: string;
  readonly algorithm?: string | { name: string; column?: string; groupBy?: string[] };
  readonly options?: Readonly<Record<string, boolean>>;
  readonly requestType?: string;
  readonly purpose?: string;
  readonly timeoutMs?: number;
}

export type AnsweredQuery = Pick<Called, "status" | "body">;

/** @throws Error with a sentence for people when nobody answers, or not the orchestrator, or the answer broke off */
export async function ask(orchestrator: Orchestrator, query: QueryBody): Promise<AnsweredQuery> {
  const called = await callOrchestrator(orchestrator, "POST", "queries", { body: query });
  if (called.status === 200 && !isAnswer(called.headers)) throw notAnAnswer(orchestrator.gatewayUrl);
  return called;
}
